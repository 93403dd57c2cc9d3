#include "samplers/contrast/loss_step.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "samplers/contrast/contrastive_loss.h"
#include "samplers/contrast/differentiable_terms.h"
#include "samplers/contrast/exact_gradient.h"
#include "samplers/contrast/rows_loss.h"
#include "samplers/contrast/view_gradient.h"

namespace negatron {
namespace {

void check_step(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("contrastive loss: " + message);
}

void to_type(PassResult& result, at::ScalarType type) {
  for (TermResult& term : result.terms) {
    for (at::Tensor* tensor : {&term.value, &term.gradient, &term.slope, &term.log_weight}) {
      if (tensor->defined()) *tensor = tensor->to(type);
    }
  }
  if (result.max.defined()) result.max = result.max.to(type);
}

/// [A] the mean score of what a linear log-sum-exp ran over, weighted by its softmax; zeros for any other term.
at::Tensor softmax_mean_score(const at::Tensor& anchors, const std::vector<ScoreTerm>& terms,
                              const std::vector<TermResult>& results) {
  const bool softmax = !terms.empty() && terms[0].shape == TermShape::kLinear && terms[0].want_gradient &&
                       terms[0].reduction == Reduction::kLogSumExp && terms[0].scale != 0.0;
  if (!softmax) return at::zeros({anchors.size(0)}, anchors.options());
  return (anchors * results[0].gradient).sum(1) / terms[0].scale;
}

/// What anchors have met before they met anything.
PassResult nothing_met(const at::Tensor& anchors, const std::vector<ScoreTerm>& terms) {
  PassRequest nothing;
  nothing.candidates.queries = anchors;
  nothing.terms = terms;
  nothing.want_max = true;
  return empty_result(nothing);
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

// Words. An anchor is a view that meets negatives; its partner is the other view of the same sample. Terms are what the
// objective asks of the negatives' scores, one number for each anchor and term; a pass gives them with their gradients.
//
// Example: InfoNCE over bank and batch asks for one term, the log-sum-exp of s / tau. The bank's pass gives log(e^3 +
// e^1) = 3.127 for a query, the batch's pass log(e^2) = 2; they merge to log(e^3.127 + e^2) = 3.408, and their
// gradients by the weights e^(3.127 - 3.408) and e^(2 - 3.408). The objective makes softplus(3.408 - s+ / tau) of it.
// Its derivative by the term goes back three ways: to the query by the merged gradient, to own keys by the derivative
// of s+, and to the views of the batch by add_view_gradient().
LossStep::LossStep(ContrastiveLoss& loss, Communicator& comm, const Bank* bank, const ContrastBatch& batch,
                   const at::Tensor& queries)
    : loss_(loss),
      comm_(comm),
      bank_(bank),
      batch_(batch),
      both_(loss.source() == NegativeSource::kBatch && !loss.description().queries_only),
      given_queries_(queries),
      queries_(queries.detach().clone().requires_grad_()) {
  contrast_.anchors.both_views = both_;
  contrast_.anchors.global_count = batch.shares.total() * (both_ ? 2 : 1);
  contrast_.anchors.step = batch.step;
  contrast_.anchors.progress = batch.progress;
  rules_.partner_is_candidate = loss.objective().partner_is_candidate();
  if (loss.description().needs_labels) rules_.positive_rule = PositiveRule::kSameLabel;
  if (loss.has_bank()) begin_bank_stage();
}

void LossStep::begin_bank_stage() {
  if (loss_.objective().terms_need_partners() || loss_.objective().needs_first_look()) return;
  if (loss_.sampler()->draws_by_keys()) return;
  const at::AutoGradMode with_gradient(true);
  contrast_.anchors.vectors = queries_;
  objective_terms_ = loss_.objective().terms(contrast_.anchors);
  request_ = draw_request();
  // Orders by the positive's score are those of shards, which then need the keys with the queries.
  if (needs_keys(*request_)) return;
  stage_.emplace(loss_.exchange().begin(bank_group(), *bank_, query_batch(), *request_, scored_terms()));
  stage_->score_beside();
}

QueryBatch LossStep::query_batch() const {
  QueryBatch batch;
  batch.queries = given_queries_.detach();
  if (given_keys_.defined()) batch.keys = given_keys_.detach();
  batch.ids = batch_.ids;
  batch.all_ids = batch_.bank_ids;
  batch.labels = batch_.labels;
  batch.shares = batch_.bank_group != nullptr ? batch_.bank_shares : batch_.shares;
  batch.step = batch_.step;
  batch.epoch = batch_.epoch;
  return batch;
}

NegativeRequest LossStep::draw_request() const {
  NegativeRequest request = loss_.sampler()->request(*bank_, query_batch());
  if (loss_.description().needs_labels && request.positive_rule == PositiveRule::kNone) {
    request.positive_rule = PositiveRule::kSameLabel;
  }
  request.keeps_met = rows_learn();
  request.report_hardest = std::max(request.report_hardest, batch_.report_hardest);
  const NegativeGenerator* generator = loss_.generator();
  if (generator != nullptr && generator->needs_seeds() && request.report_hardest == 0) request.report_hardest = 1;
  request.needs_largest = batch_.needs_accuracy || loss_.sampler()->observes_accuracy();
  for (const ObjectiveTerm& term : *objective_terms_) {
    check_step(!term.log_scale.defined() || !request.mixes || !request.mixes->attached,
               "a learned scale does not go with attached mixes, whose scores are not linear in the query");
  }
  return request;
}

ContrastOutput LossStep::finish(const at::Tensor& keys) {
  check_step(
      keys.defined() && keys.sizes() == given_queries_.sizes() && keys.scalar_type() == given_queries_.scalar_type(),
      "keys must have the shape and dtype of the queries");
  // A graph of this rank's numbers alone: its gradients are taken here, completed by other ranks', and handed on.
  const at::AutoGradMode with_gradient(true);
  take_keys(keys);
  if (loss_.objective().needs_first_look()) look_first();
  prepare(objective_terms_ ? *objective_terms_ : loss_.objective().terms(contrast_.anchors));
  meet_all();
  tell_sampler();
  return derive();
}

void LossStep::take_keys(const at::Tensor& keys) {
  given_keys_ = keys;
  keys_ = keys.detach().clone().requires_grad_(keys.requires_grad());
  fixed_ = own_anchors(given_queries_.detach(), keys.detach(), batch_, both_);
  Anchors& anchors = contrast_.anchors;
  anchors.vectors = both_ ? at::cat({queries_, keys_}) : queries_;
  anchors.partners = both_ ? at::cat({keys_, queries_}) : keys_;
  anchors.positive = (anchors.vectors * anchors.partners).sum(1);
}

// The sampler is asked twice and picks the same negatives: what it draws depends on step and query alone.
void LossStep::look_first() {
  prepare(loss_.objective().first_terms(contrast_.anchors));
  meet_all();
  Contrast first = contrast_;
  first.anchors.positive = contrast_.anchors.positive.detach();
  first.terms.clear();
  for (const TermResult& term : scores_.terms) first.terms.push_back(term.value);
  first.count = scores_.count;
  loss_.objective().take_first(comm_, first);
  objective_terms_.reset();
  negatives_ = {};
  views_.reset();
  generated_.reset();
}

void LossStep::prepare(std::vector<ObjectiveTerm> terms) {
  objective_terms_ = std::move(terms);
  terms_ = scored_terms();
  scores_ = nothing_met(fixed_.vectors, terms_);
  real_max_ = scores_.max;
}

std::vector<ScoreTerm> LossStep::scored_terms() const {
  std::vector<ScoreTerm> terms = plain_terms(*objective_terms_);
  if (rows_learn()) terms.push_back(rows_term(batch_.rows_tau));
  return terms;
}

void LossStep::meet_bank() {
  if (!request_) request_ = draw_request();
  if (!stage_) stage_.emplace(loss_.exchange().begin(bank_group(), *bank_, query_batch(), *request_, terms_));
  // The batch is scored by the rules of the bank: the same weights by softmax, the same rules of labels.
  terms_ = stage_->terms();
  rules_.label_rule = request_->label_rule;
  if (request_->positive_rule != PositiveRule::kSameLabel) rules_.positive_rule = PositiveRule::kNone;
  negatives_ = stage_->finish();
  may_lack_largest_ = !request_->needs_largest;
  // The queries of all ranks are not needed any more, nor what the sampler made for own ones.
  stage_.reset();
  request_.reset();
  scores_ = negatives_.scores;
  real_max_ = negatives_.bank_max;
  if (negatives_.tried.defined()) {
    // Of K - 1 rows that could outrank the positive one was met after so many trials (Weston et al., WSABIE, 2011).
    contrast_.estimated_rank =
        at::floor_divide(at::full_like(negatives_.tried, bank_->filled() - 1), negatives_.tried).to(queries_.options());
  }
}

void LossStep::meet_generated() {
  GeneratorInput input;
  input.queries = fixed_.vectors;
  input.keys = fixed_.partners;
  const QueryShares& shares = batch_.bank_group != nullptr ? batch_.bank_shares : batch_.shares;
  input.first = shares.begin(bank_group().rank());
  input.step = batch_.step;
  generated_.emplace(bank_group(), *bank_, *loss_.generator(), std::move(input), negatives_.hardest);
  // How hard real negatives are does not depend on it.
  const at::Tensor real_max = scores_.max;
  scores_ = merge(terms_, scores_, generated_->score(terms_));
  scores_.max = real_max;
}

void LossStep::meet_all() {
  if (loss_.has_bank()) meet_bank();
  if (loss_.generator() != nullptr) meet_generated();
  if (loss_.has_batch()) meet_batch();
}

void LossStep::meet_batch() {
  views_ = gather_views(comm_, fixed_, batch_.shares, both_, keys_.requires_grad());
  const PassResult of_batch = batch_terms(*views_, fixed_, terms_, rules_);
  if (is_sharp(terms_)) to_type(scores_, at::kDouble);
  scores_ = merge(terms_, scores_, of_batch);
  real_max_ = at::maximum(real_max_, of_batch.max.to(real_max_.scalar_type()));
  contrast_.partner_in_terms = rules_.partner_is_candidate;
}

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
  if (generated_)
    generated_->add_gradient(term_shares({by_terms, gradients.end()}), contrast_.anchors.global_count, output);
  if (rows_learn()) add_rows_loss(bank_group(), *bank_, contrast_.anchors, batch_.rows_tau, of_rows, output);
  return output;
}

TermResult LossStep::take_rows_term() {
  if (!rows_learn()) return {};
  TermResult of_rows = scores_.terms.back();
  of_rows.value = of_rows.value.to(queries_.scalar_type());
  scores_.terms.pop_back();
  terms_.pop_back();
  return of_rows;
}

// Not where the step is scored twice: what a sampler kept of the first time it would draw from in the second.
void LossStep::tell_sampler() {
  if (!negatives_.kept.defined()) return;
  const at::Tensor ids = comm_.all_gather(batch_.ids.to(negatives_.kept.device()), batch_.shares.sizes);
  const at::Tensor kept = comm_.all_gather(negatives_.kept, batch_.shares.sizes);
  loss_.sampler()->learn(ids.cpu(), kept.cpu());
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
