#pragma once

#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/batch_terms.h"
#include "samplers/contrast/batch_views.h"
#include "samplers/contrast/contrast_batch.h"
#include "samplers/contrast/contrast_output.h"
#include "samplers/contrast/generated_negatives.h"
#include "samplers/contrast/listed_negatives.h"
#include "samplers/exchange/bank_stage.h"
#include "samplers/objectives/objective.h"

namespace negatron {

class ContrastiveLoss;

/// One step of a ContrastiveLoss, from the queries to the loss with its gradient: made when the queries are there,
/// finished when the keys are. What anchors meet in the bank and in the batch merges as if it were one pass's rows.
class LossStep {
 public:
  /// `loss`, `comm` and the bank are referred to; `bank` is null when the source has none. As ContrastiveLoss::begin.
  LossStep(ContrastiveLoss& loss, Communicator& comm, const Bank* bank, const ContrastBatch& batch,
           const at::Tensor& queries);

  /// keys [b, d] of the queries' dtype, with gradient when both views pass the query encoder; mined [b, L, d] what the
  /// encoder made of samples that were mined for each query, with gradient, undefined for none. To be called once, in
  /// the order in which steps began. Collective; everything collective happens in here and at the beginning, nothing in
  /// backward. Throws std::invalid_argument when the keys or what was mined do not fit.
  ///
  /// In-batch, the gradient to other views is computed at their owners from each anchor's few numbers, not sent as
  /// vectors (GRADIENT.md 3). Bytes received per rank beside the bank's, Bg views a side, w bytes an element, T
  /// terms: all views (Bg - b) d w a side, and (Bg - b) 3 T w a side of anchors.
  ContrastOutput finish(const at::Tensor& keys, const at::Tensor& mined = {});

 private:
  /// What the queries alone decide: nothing where terms or sampler look at keys. Collective.
  void begin_bank_stage();
  /// What the exchange sees of the step, keys where they are there. Local.
  QueryBatch query_batch() const;
  /// What the sampler wants of the bank, with what the objective and the report add. Local.
  NegativeRequest draw_request() const;
  /// Anchors, once both views are there. Local.
  void take_keys(const at::Tensor& keys);
  /// What is scored: the objective's terms, then, where rows learn, the log-sum-exp of the loss that they raise. Local.
  std::vector<ScoreTerm> scored_terms() const;
  /// Rows raise a loss of their own.
  bool rows_raise() const { return batch_.rows_tau > 0.0; }
  /// By what queries met of rows that follow the loss. Collective over the ranks that share the bank.
  void add_row_gradient(std::vector<TermShare> shares, ContrastOutput& output) const;
  /// Once all is met: takes the rows' own term out of what the objective is told. Local.
  TermResult take_rows_term();
  /// For an objective that needs a number of the scores before its terms. Collective.
  void look_first();
  /// The objective's terms, and what anchors have met before they met anything. Local.
  void prepare(std::vector<ObjectiveTerm> terms);
  /// Collective.
  void meet_bank();
  /// What the sampler's generator makes. Collective where that looks at rows of the bank.
  void meet_generated();
  /// In which vectors are scored that a query has for itself.
  at::ScalarType listed_type() const;
  /// What was mined for own queries. Local.
  void meet_mined();
  /// [b, L] bool on the host: those of the query's label.
  at::Tensor mined_same_label() const;
  /// Whether no row of the bank is asked for, so that nothing need travel.
  static bool asks_for_no_row(const NegativeRequest& request);
  /// The views of all ranks. Collective.
  void meet_batch();
  /// All that anchors meet, one after the other. Collective.
  void meet_all();
  /// Collective where other ranks' gradients or the objective ask for it.
  ContrastOutput derive();
  /// How near what was mined is, and how much of it is of the query's label. Local.
  void report_mined(ContrastOutput& output) const;
  /// Rounds, or widens, all numbers of a result. Local.
  static void to_type(PassResult& result, at::ScalarType type);
  /// What each term of own anchors has to do with the loss. Local.
  std::vector<TermShare> term_shares(const std::vector<at::Tensor>& by_terms) const;
  /// Adds the gradient that other ranks' anchors, and own ones, send to own views.
  void add_view_gradient(const std::vector<at::Tensor>& by_terms, at::Tensor& of_queries, at::Tensor& of_keys);
  Communicator& bank_group() const { return batch_.bank_group != nullptr ? *batch_.bank_group : comm_; }

  ContrastiveLoss& loss_;
  Communicator& comm_;
  const Bank* bank_;
  ContrastBatch batch_;
  /// Keys are anchors too.
  bool both_;
  /// As they were given.
  at::Tensor given_queries_;
  at::Tensor given_keys_;
  at::Tensor given_mined_;
  /// Leaves of this step's own graph, in which gradients of this rank's numbers are taken.
  at::Tensor queries_;
  at::Tensor keys_;
  /// As the graph's anchors, without gradient.
  OwnAnchors fixed_;
  Contrast contrast_;
  /// Empty until they are made.
  std::optional<std::vector<ObjectiveTerm>> objective_terms_;
  std::optional<NegativeRequest> request_;
  std::optional<BankStage> stage_;

  /// What is scored for the objective's terms, in bank and batch alike, and what was met so far.
  std::vector<ScoreTerm> terms_;
  BatchRules rules_;
  NegativeResult negatives_;
  PassResult scores_;
  at::Tensor real_max_;  // [A] over bank rows, other views and what was mined
  /// The bank's pass was not asked for the largest score.
  bool may_lack_largest_ = false;
  std::optional<BatchViews> views_;
  std::optional<GeneratedScores> generated_;
  std::optional<ListedNegatives> mined_;
};

}  // namespace negatron
