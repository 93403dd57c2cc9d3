// From what anchors met to the loss and its gradient.

#include "samplers/contrast/loss_step.h"

#include <stdexcept>
#include <utility>

#include "comm/queued_copy.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/contrast/differentiable_terms.h"
#include "samplers/contrast/exact_gradient.h"
#include "samplers/contrast/rows_loss.h"
#include "samplers/contrast/view_gradient.h"
#include "samplers/exchange/rows/row_gradient.h"

namespace negatron {
namespace {

/// [A] the mean score of what a linear log-sum-exp ran over, weighted by its softmax; zeros for any other term.
at::Tensor softmax_mean_score(const at::Tensor& anchors, const std::vector<ScoreTerm>& terms,
                              const std::vector<TermResult>& results) {
  const bool softmax = !terms.empty() && terms[0].shape == TermShape::kLinear && terms[0].want_gradient &&
                       terms[0].reduction == Reduction::kLogSumExp && terms[0].scale != 0.0;
  if (!softmax) return at::zeros({anchors.size(0)}, anchors.options());
  return (anchors * results[0].gradient).sum(1) / terms[0].scale;
}

/// What the sum over all anchors is divided by. Collective when the objective has a divisor of its own.
at::Tensor divisor_of(Communicator& comm, const ObjectiveLoss& loss, const Anchors& anchors) {
  if (!loss.normalizer.defined()) {
    return at::full({}, static_cast<double>(anchors.global_count), anchors.vectors.options());
  }
  const at::Tensor sum = loss.normalizer.detach().to(anchors.vectors.scalar_type()).clone();
  comm.all_reduce(sum, ReduceOp::kSum);
  return at::where(sum > 0.0, sum, at::ones_like(sum));
}

}  // namespace

// From what the anchors met to this rank's part of the loss, differentiable, and with no collective left for
// backward.
//
//   1  The terms become functions for autograd: their values, and as derivatives what the pass found.
//   2  The objective makes a loss per anchor of them and of s+; the part of this rank is the sum over own anchors,
//      divided by the number of anchors of all ranks, or by the objective's own divisor, all-reduced.
//   3  The gradient of the part is taken here, with respect to queries, keys, parameters and the terms.
//   4  The gradients of the terms go to all ranks, and what other ranks' anchors send to own views is added.
//   5  The part is returned as a scalar with these gradients attached: backward multiplies them by what arrives.
//
// queries_ and keys_ are leaves of a graph of this step alone, so that step 3 ends there and not in the encoder.
//
// Example: Rank 0 has three anchors with losses 1, 2, 3 and rank 1 two with 5, 9. Parts are 6 / 5 and 14 / 5; their
// sum 4 is the mean over all five, and the sum over ranks of the gradients with respect to a parameter is the
// gradient of that mean. The mean of the ranks' own means would be 4.5. See GRADIENT.md 1 to 3.
ContrastOutput LossStep::derive() {
  const Objective& objective = loss_.objective();
  const TermResult of_rows = take_rows_term();
  PassResult rounded = scores_;
  to_type(rounded, queries_.scalar_type());
  contrast_.terms = differentiable_terms(contrast_.anchors.vectors, *objective_terms_, rounded.terms);
  contrast_.count = rounded.count.to(queries_.options());
  contrast_.max = real_max_;
  const ObjectiveLoss loss = objective.loss(comm_, contrast_);
  const at::Tensor value = loss.per_anchor.sum() / divisor_of(comm_, loss, contrast_.anchors);

  const std::vector<at::Tensor> parameters = objective.parameters();
  std::vector<at::Tensor> inputs{queries_, keys_};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  inputs.insert(inputs.end(), contrast_.terms.begin(), contrast_.terms.end());
  std::vector<at::Tensor> gradients = gradients_of(value, inputs);
  const auto by_terms = gradients.begin() + 2 + static_cast<std::ptrdiff_t>(parameters.size());
  add_view_gradient({by_terms, gradients.end()}, gradients[0], gradients[1]);

  std::vector<KnownGradient> known{{given_queries_, gradients[0]}};
  if (keys_.requires_grad()) known.push_back({given_keys_, gradients[1]});
  for (std::size_t i = 0; i < parameters.size(); ++i) known.push_back({parameters[i], gradients[2 + i]});
  const std::vector<TermShare> shares = term_shares({by_terms, gradients.end()});
  if (mined_) known.push_back({given_mined_, mined_->gradient(shares).to(given_mined_.scalar_type())});

  ContrastOutput output;
  output.negatives = std::move(negatives_);
  output.loss = with_known_gradients(value, known);
  output.per_anchor = loss.per_anchor.detach();
  const auto of_queries = [&](const at::Tensor& values) { return values.narrow(0, 0, queries_.size(0)).sum(); };
  const at::Tensor positive = contrast_.anchors.positive.detach();
  output.positive_similarity = of_queries(positive);
  output.negative_similarity = of_queries(softmax_mean_score(fixed_.vectors, terms_, rounded.terms));
  const at::Tensor beats_all = positive > contrast_.max;
  // Not known where the pass was allowed to leave the largest score out, and did. A score that is not finite says no
  // such thing: its step will be skipped, and what follows the accuracy must not meet a NaN.
  const at::Tensor largest = contrast_.max;
  output.correct = of_queries(
      may_lack_largest_ ? at::where(largest.isnan(), largest, beats_all.to(largest.scalar_type())) : beats_all);
  for (const auto& [name, sum] : loss.metrics) output.metrics[name] = sum.detach();
  if (generated_) generated_->add_gradient(shares, contrast_.anchors.global_count, output);
  if (mined_) report_mined(output);
  if (batch_.rows_follow) add_row_gradient(shares, output);
  if (rows_raise()) add_rows_loss(bank_group(), *bank_, contrast_.anchors, batch_, of_rows, output);
  return output;
}

void LossStep::report_mined(ContrastOutput& output) const {
  output.metrics["mined_similarity"] = mined_->mean_scores().sum();
  if (!batch_.mined_labels.defined()) return;
  const at::Tensor is_same = queued_copy(mined_same_label(), queries_.device()).to(queries_.scalar_type());
  output.metrics["mined_same_label"] = is_same.mean(1).sum();
}

void LossStep::add_row_gradient(std::vector<TermShare> shares, ContrastOutput& output) const {
  // Scores of a row are made anew here, and would differ from those of the pass in the bits that decide.
  if (is_sharp(terms_) && queries_.scalar_type() != at::kDouble) {
    throw std::invalid_argument(
        "contrastive loss: rows that are trained with it (--bank-kind parametric) do not go with a term that takes the "
        "nearest row alone, as --sampler self-adversarial with so large an alpha, unless in fp64");
  }
  for (TermShare& share : shares) {
    PassResult one;
    one.terms.push_back(share.result);
    to_type(one, queries_.scalar_type());
    share.result = one.terms.front();
  }
  output.row_gradient = row_gradient(bank_group(), *bank_, output.negatives.met, shares, wanted_rows(batch_));
  // The queries of all ranks are not needed any more.
  output.negatives.met = {};
}

TermResult LossStep::take_rows_term() {
  if (!rows_raise()) return {};
  TermResult of_rows = scores_.terms.back();
  of_rows.value = of_rows.value.to(queries_.scalar_type());
  scores_.terms.pop_back();
  terms_.pop_back();
  return of_rows;
}

std::vector<TermShare> LossStep::term_shares(const std::vector<at::Tensor>& by_terms) const {
  std::vector<TermShare> shares;
  for (std::size_t i = 0; i < by_terms.size(); ++i) shares.push_back({terms_[i], by_terms[i], scores_.terms[i]});
  return shares;
}

void LossStep::add_view_gradient(const std::vector<at::Tensor>& by_terms, at::Tensor& of_queries, at::Tensor& of_keys) {
  if (!views_ || !(both_ || keys_.requires_grad())) return;
  const at::Tensor gradient = view_gradient(comm_, *views_, batch_.shares, fixed_, term_shares(by_terms), rules_);
  const std::int64_t size = queries_.size(0);
  if (both_) of_queries = of_queries + gradient.narrow(0, 0, size);
  if (keys_.requires_grad()) of_keys = of_keys + (both_ ? gradient.narrow(0, size, size) : gradient);
}

}  // namespace negatron
