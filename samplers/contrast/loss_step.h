#pragma once

#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/contrast/batch_terms.h"
#include "samplers/contrast/batch_views.h"
#include "samplers/contrast/contrast_input.h"
#include "samplers/objectives/registry.h"

namespace negatron {

/// What to score for an objective's terms, offsets without gradient. Local.
std::vector<ScoreTerm> plain_terms(const std::vector<ObjectiveTerm>& terms);

/// One step of a ContrastiveLoss as it goes on: what own anchors have met so far, then the loss and its gradient. The
/// terms of bank and batch merge as if their rows were one pass's.
class LossStep {
 public:
  /// All are referred to. With `only_batch`, keys are anchors too unless the objective says otherwise. Local.
  LossStep(const ContrastInput& input, const Objective& objective, const ObjectiveDescription& description,
           bool only_batch);

  const OwnViews& own() const noexcept { return own_; }
  const std::vector<ObjectiveTerm>& objective_terms() const noexcept { return objective_terms_; }
  /// What to score, offsets without gradient.
  const std::vector<ScoreTerm>& terms() const noexcept { return terms_; }

  /// Takes from `request` what holds for the batch as for the bank: weights by softmax, which move into terms(), and
  /// the rules of labels. Local.
  void follow_rules_of(NegativeRequest& request);
  /// Local.
  void meet_bank(const NegativeResult& negatives);
  /// The views of all ranks. Collective.
  void meet_batch(Communicator& comm);
  /// Collective where other ranks' gradients or the objective ask for it.
  ContrastOutput finish(Communicator& comm);

 private:
  /// Adds the gradient that other ranks' anchors, and own ones, send to own views.
  void add_view_gradient(Communicator& comm, const std::vector<at::Tensor>& by_terms, at::Tensor& of_queries,
                         at::Tensor& of_keys) const;

  const ContrastInput& input_;
  const Objective& objective_;
  bool both_;
  OwnViews own_;
  /// Leaves of this step's own graph.
  at::Tensor queries_;
  at::Tensor keys_;
  /// As the graph's anchors, without gradient.
  OwnAnchors fixed_;
  Contrast contrast_;
  std::vector<ObjectiveTerm> objective_terms_;
  std::vector<ScoreTerm> terms_;
  BatchRules rules_;
  NegativeResult negatives_;
  PassResult scores_;
  at::Tensor real_max_;  // [A] over bank rows and other views
  std::optional<BatchViews> views_;
};

}  // namespace negatron
