#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/options/named_state.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// A score term of which an objective needs derivatives beyond the query's: with respect to `term.query_offset` when
/// that takes gradient (set want_slope), and to `log_scale` when defined: a scalar parameter with term.scale in
/// proportion to exp(log_scale).
struct ObjectiveTerm {
  ScoreTerm term;
  at::Tensor log_scale;
};

/// What an objective sees of own anchors before their negatives were scored. Differentiable.
struct Anchors {
  at::Tensor vectors;   // [A, d]
  at::Tensor partners;  // [A, d] the positive of each; with gradient in-batch, without for keys of a momentum encoder
  at::Tensor positive;  // [A] s+ = anchor . partner
  /// In-batch over both views: the anchors are b queries, then their b keys, so that the partner of anchor i is anchor
  /// (i + b) mod 2b. Else the anchors are the queries.
  bool both_views = false;
  /// Over all ranks.
  std::int64_t global_count = 0;
  /// Step, and share of the run that lies behind, 0 to 1.
  std::int64_t step = 0;
  double progress = 0.0;
};

/// In-batch: the views of all ranks that anchors meet, without gradient.
struct AllViews {
  at::Tensor vectors;    // [V, d]
  at::Tensor labels;     // [V] int64, undefined when the data has none
  at::Tensor positions;  // [A] int64, own anchors among them
  /// A of each rank.
  std::vector<std::int64_t> anchors_of_ranks;
};

/// The same with what their negatives came to.
struct Contrast {
  Anchors anchors;
  /// [A] each, of terms(); differentiable with respect to anchors, offsets and log_scale (and, in-batch, to all views
  /// of all ranks).
  std::vector<at::Tensor> terms;
  at::Tensor count;  // [A] how many negatives each anchor met, in the dtype of the anchors
  at::Tensor max;  // [A] the largest score of a bank row, other view or mined sample, for reports: NaN where it was not
                   // looked for
  /// [A] how many more rows of the bank than those that were met violate the margin, as the sampler estimates it from
  /// its trials (WARP), in the dtype of the anchors; undefined where it does not.
  at::Tensor more_violators;
  /// The partner itself was among the rows that the terms ran over (Objective::partner_is_candidate, in-batch).
  bool partner_in_terms = false;
  /// In-batch.
  AllViews views{};
};

struct ObjectiveLoss {
  at::Tensor per_anchor;  // [A] with gradient
  /// Scalar, this rank's part of what the sum over all ranks' anchors is divided by; undefined for the number of
  /// anchors.
  at::Tensor normalizer;
  /// Scalars: sums over own anchors, reported as means over all anchors, for example "clamped".
  std::map<std::string, at::Tensor> metrics;
};

/// A contrastive loss: a function of s+ and of a few terms per anchor. It knows neither how its negatives were sampled
/// nor where they lie, so every objective runs over the bank, over all ranks' batches, or over both.
///
/// Gradients are left to autograd: the terms come with theirs (samplers/pass/FORMULAS.md 1), and what an objective adds
/// are a few operations on [A].
class Objective {
 public:
  virtual ~Objective() = default;

  /// The terms that loss() wants, in its order. Local.
  virtual std::vector<ObjectiveTerm> terms(const Anchors& anchors) const = 0;
  /// Whether terms() looks at the partners of the anchors; without, it may be called before they are there.
  virtual bool terms_need_partners() const { return false; }
  /// Local unless the loss itself mixes anchors of all ranks; then collective.
  virtual ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const = 0;

  /// Whether loss() needs a number of the scores before its terms can be made, and has it not yet: so it is with a
  /// constant that is taken from the first batch. Then the step is scored for first_terms() before it is scored for
  /// terms(), and take_first() gets what came. The same on every rank. Local.
  virtual bool needs_first_look() const { return false; }
  virtual std::vector<ObjectiveTerm> first_terms(const Anchors& /*anchors*/) const { return {}; }
  /// Collective over the ranks that share the batch. `contrast` is without gradient.
  virtual void take_first(Communicator& /*comm*/, const Contrast& /*contrast*/) {}
  /// What a later step depends on beside parameters(), equal on all ranks, and back; restore() throws MissingState, and
  /// has changed nothing then. Local.
  virtual NamedState state() const { return {}; }
  virtual void restore(const NamedState& /*state*/) {}

  /// Settings that work but hardly can be meant, one sentence each; `width` is d, that of queries and keys.
  virtual std::vector<std::string> warnings(std::int64_t /*width*/) const { return {}; }
  /// tau as it stands, NaN for a loss without one.
  virtual double temperature() const { return std::numeric_limits<double>::quiet_NaN(); }
  /// In-batch: the partner is one of the rows that the terms run over (losses that find their positives by label).
  virtual bool partner_is_candidate() const { return false; }
  /// To be optimized with the encoder, replicated; their gradients are this rank's part, to be summed over ranks.
  virtual std::vector<at::Tensor> parameters() const { return {}; }
};

}  // namespace negatron
