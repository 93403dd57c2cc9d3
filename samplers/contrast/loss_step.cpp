#include "samplers/contrast/loss_step.h"

#include "samplers/contrast/differentiable_terms.h"
#include "samplers/contrast/exact_gradient.h"
#include "samplers/contrast/view_gradient.h"

namespace negatron {
namespace {

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

Anchors anchors_of(const at::Tensor& queries, const at::Tensor& keys, bool both, const ContrastInput& input) {
  Anchors anchors;
  anchors.vectors = both ? at::cat({queries, keys}) : queries;
  anchors.partners = both ? at::cat({keys, queries}) : keys;
  anchors.positive = (anchors.vectors * anchors.partners).sum(1);
  anchors.both_views = both;
  anchors.global_count = input.shares.total() * (both ? 2 : 1);
  anchors.step = input.step;
  anchors.progress = input.progress;
  return anchors;
}

OwnViews own_views(const ContrastInput& input) {
  const auto here = [&](const at::Tensor& labels) {
    return labels.defined() ? labels.to(input.queries.device()) : labels;
  };
  return {input.queries.detach(), input.keys.detach(), here(input.labels),
          here(input.key_labels.defined() ? input.key_labels : input.labels)};
}

OwnAnchors own_anchors(const OwnViews& own, bool both) {
  if (!both) return {own.queries, own.keys, own.query_labels, own.key_labels};
  const auto joined = [](const at::Tensor& a, const at::Tensor& b) {
    return a.defined() && b.defined() ? at::cat({a, b}) : at::Tensor();
  };
  return {joined(own.queries, own.keys), joined(own.keys, own.queries), joined(own.query_labels, own.key_labels),
          joined(own.key_labels, own.query_labels)};
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

/// Gradients of a value, zeros for what it does not depend on.
std::vector<at::Tensor> gradients_of(const at::Tensor& value, const std::vector<at::Tensor>& inputs) {
  torch::autograd::variable_list asked;
  for (const at::Tensor& input : inputs) {
    if (input.requires_grad()) asked.push_back(input);
  }
  const torch::autograd::variable_list found = torch::autograd::grad({value}, asked, {}, std::nullopt, false, true);
  auto next = found.begin();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& input : inputs) {
    const at::Tensor gradient = input.requires_grad() ? *next++ : at::Tensor();
    gradients.push_back(gradient.defined() ? gradient : at::zeros_like(input));
  }
  return gradients;
}

}  // namespace

std::vector<ScoreTerm> plain_terms(const std::vector<ObjectiveTerm>& terms) {
  std::vector<ScoreTerm> plain;
  for (const ObjectiveTerm& objective_term : terms) {
    plain.push_back(objective_term.term);
    if (plain.back().query_offset.defined()) plain.back().query_offset = plain.back().query_offset.detach();
  }
  return plain;
}

LossStep::LossStep(const ContrastInput& input, const Objective& objective, const ObjectiveDescription& description,
                   bool only_batch)
    : input_(input),
      objective_(objective),
      both_(only_batch && !description.queries_only),
      own_(own_views(input)),
      queries_(own_.queries.clone().requires_grad_()),
      keys_(own_.keys.clone().requires_grad_(input.keys.requires_grad())),
      fixed_(own_anchors(own_, both_)) {
  contrast_.anchors = anchors_of(queries_, keys_, both_, input);
  objective_terms_ = objective.terms(contrast_.anchors);
  terms_ = plain_terms(objective_terms_);
  rules_.partner_is_candidate = objective.partner_is_candidate();
  if (description.needs_labels) rules_.positive_rule = PositiveRule::kSameLabel;
  scores_ = nothing_met(fixed_.vectors, terms_);
  real_max_ = scores_.max;
}

void LossStep::follow_rules_of(NegativeRequest& request) {
  if (request.self_adversarial_scale) {
    // Sums over negatives become means weighted by their own softmax, for the bank and the batch alike.
    for (ScoreTerm& term : terms_) {
      if (term.reduction != Reduction::kSum || term.rows != TermRows::kCandidates) continue;
      term.reduction = Reduction::kSoftmaxMean;
      term.weight_scale = *request.self_adversarial_scale;
    }
    request.self_adversarial_scale.reset();
  }
  rules_.label_rule = request.label_rule;
  if (request.positive_rule != PositiveRule::kSameLabel) rules_.positive_rule = PositiveRule::kNone;
}

void LossStep::meet_bank(const NegativeResult& negatives) {
  negatives_ = negatives;
  scores_ = negatives.scores;
  real_max_ = negatives.bank_max.defined() ? negatives.bank_max : scores_.max;
}

void LossStep::meet_batch(Communicator& comm) {
  views_ = gather_views(comm, own_, input_.shares, both_, keys_.requires_grad());
  const PassResult of_batch = batch_terms(*views_, fixed_, terms_, rules_);
  if (is_sharp(terms_)) to_type(scores_, at::kDouble);
  scores_ = merge(terms_, scores_, of_batch);
  real_max_ = at::maximum(real_max_, of_batch.max.to(real_max_.scalar_type()));
  contrast_.partner_in_terms = rules_.partner_is_candidate;
}

ContrastOutput LossStep::finish(Communicator& comm) {
  PassResult rounded = scores_;
  to_type(rounded, queries_.scalar_type());
  contrast_.terms = differentiable_terms(contrast_.anchors.vectors, objective_terms_, rounded.terms);
  contrast_.count = rounded.count.to(queries_.options());
  contrast_.max = real_max_;
  const ObjectiveLoss loss = objective_.loss(comm, contrast_);
  const at::Tensor value = loss.per_anchor.sum() / divisor_of(comm, loss, contrast_.anchors);

  const std::vector<at::Tensor> parameters = objective_.parameters();
  std::vector<at::Tensor> inputs{queries_, keys_};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  inputs.insert(inputs.end(), contrast_.terms.begin(), contrast_.terms.end());
  std::vector<at::Tensor> gradients = gradients_of(value, inputs);
  const auto by_terms = gradients.begin() + 2 + static_cast<std::ptrdiff_t>(parameters.size());
  add_view_gradient(comm, {by_terms, gradients.end()}, gradients[0], gradients[1]);

  std::vector<KnownGradient> known{{input_.queries, gradients[0]}};
  if (keys_.requires_grad()) known.push_back({input_.keys, gradients[1]});
  for (std::size_t i = 0; i < parameters.size(); ++i) known.push_back({parameters[i], gradients[2 + i]});

  ContrastOutput output;
  output.negatives = negatives_;
  output.loss = with_known_gradients(value, known);
  output.per_anchor = loss.per_anchor.detach();
  const auto of_queries = [&](const at::Tensor& values) { return values.narrow(0, 0, queries_.size(0)).sum(); };
  const at::Tensor positive = contrast_.anchors.positive.detach();
  output.positive_similarity = of_queries(positive);
  output.negative_similarity = of_queries(softmax_mean_score(fixed_.vectors, terms_, rounded.terms));
  output.correct = of_queries(positive > contrast_.max);
  for (const auto& [name, sum] : loss.metrics) output.metrics[name] = sum.detach();
  return output;
}

void LossStep::add_view_gradient(Communicator& comm, const std::vector<at::Tensor>& by_terms, at::Tensor& of_queries,
                                 at::Tensor& of_keys) const {
  if (!views_ || !(both_ || keys_.requires_grad())) return;
  std::vector<TermShare> term_shares;
  for (std::size_t i = 0; i < by_terms.size(); ++i) term_shares.push_back({by_terms[i], scores_.terms[i]});
  ViewsToDerive derived{both_ ? fixed_.vectors : own_.keys, own_positions(*views_), {}};
  derived.labels = both_ ? fixed_.labels : own_.key_labels;
  const at::Tensor gradient = view_gradient(comm, *views_, input_.shares, derived, terms_, term_shares, rules_);
  const std::int64_t size = queries_.size(0);
  if (both_) of_queries = of_queries + gradient.narrow(0, 0, size);
  if (keys_.requires_grad()) of_keys = of_keys + (both_ ? gradient.narrow(0, size, size) : gradient);
}

}  // namespace negatron
