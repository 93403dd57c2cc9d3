#include "samplers/contrast/contrastive_loss.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "samplers/contrast/batch_terms.h"
#include "samplers/contrast/differentiable_terms.h"
#include "samplers/contrast/exact_gradient.h"
#include "samplers/contrast/view_gradient.h"

namespace negatron {
namespace {

void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("contrastive loss: " + message);
}

bool has_bank(NegativeSource source) {
  return source == NegativeSource::kBank || source == NegativeSource::kBankAndBatch;
}

bool has_batch(NegativeSource source) {
  return source == NegativeSource::kBatch || source == NegativeSource::kBankAndBatch;
}

void check(const Communicator& comm, const Bank* bank, const ContrastInput& input, NegativeSource source,
           bool needs_labels) {
  require(static_cast<int>(input.split.shares.size()) == comm.size(), "the split must name a share for every rank");
  const at::Tensor& queries = input.queries;
  require(queries.dim() == 2 && queries.size(0) == input.split.size(comm.rank()),
          "queries must be [b, d], b being this rank's share of the split");
  require(queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kDouble, "queries must be fp32 or fp64");
  require(input.keys.sizes() == queries.sizes() && input.keys.scalar_type() == queries.scalar_type(),
          "keys must have the shape and dtype of the queries");
  require(!has_bank(source) || bank != nullptr, "this source of negatives needs a bank");
  require(!needs_labels || input.labels.defined(), "this objective finds its positives by label: labels are needed");
  for (const at::Tensor& values : {input.ids, input.labels, input.key_labels}) {
    require(!values.defined() || (values.dim() == 1 && values.size(0) == queries.size(0)),
            "ids and labels must be [b]");
  }
}

std::vector<ScoreTerm> plain_terms(const std::vector<ObjectiveTerm>& terms) {
  std::vector<ScoreTerm> plain;
  for (const ObjectiveTerm& objective_term : terms) {
    plain.push_back(objective_term.term);
    if (plain.back().query_offset.defined()) plain.back().query_offset = plain.back().query_offset.detach();
  }
  return plain;
}

/// Sums over negatives become means weighted by their own softmax, for the bank and the batch alike.
void weight_by_softmax(std::vector<ScoreTerm>& terms, double scale) {
  for (ScoreTerm& term : terms) {
    if (term.reduction != Reduction::kSum || term.rows != TermRows::kCandidates) continue;
    term.reduction = Reduction::kSoftmaxMean;
    term.weight_scale = scale;
  }
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

Anchors anchors_of(const at::Tensor& queries, const at::Tensor& keys, bool both, const ContrastInput& input) {
  Anchors anchors;
  anchors.vectors = both ? at::cat({queries, keys}) : queries;
  anchors.partners = both ? at::cat({keys, queries}) : keys;
  anchors.positive = (anchors.vectors * anchors.partners).sum(1);
  anchors.both_views = both;
  anchors.global_count = input.split.total() * (both ? 2 : 1);
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

ContrastiveLoss::ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source,
                                 std::unique_ptr<Objective> objective, std::unique_ptr<NegativeSampler> sampler)
    : description_(description), source_(source), objective_(std::move(objective)), sampler_(std::move(sampler)) {
  require(objective_ != nullptr, "an objective is needed");
  require(!has_bank(source_) || sampler_ != nullptr, "a source of negatives with a bank needs a sampler");
}

NegativeRequest ContrastiveLoss::draw(const Bank& bank, const QueryBatch& batch, const ContrastInput& input,
                                      const std::vector<ObjectiveTerm>& terms) const {
  NegativeRequest request = sampler_->draw(bank, batch);
  if (description_.needs_labels && request.positive_rule == PositiveRule::kNone) {
    request.positive_rule = PositiveRule::kSameLabel;
  }
  request.report_hardest = std::max(request.report_hardest, input.report_hardest);
  for (const ObjectiveTerm& term : terms) {
    require(!term.log_scale.defined() || !request.mixes || !request.mixes->attached,
            "a learned scale does not go with attached mixes, whose scores are not linear in the query");
  }
  return request;
}

ContrastOutput ContrastiveLoss::compute(Communicator& comm, const Bank* bank, const ContrastInput& input) {
  check(comm, bank, input, source_, description_.needs_labels);
  // A graph of this rank's numbers alone: its gradients are taken here, completed by other ranks', and handed on.
  const at::AutoGradMode with_gradient(true);
  const bool both = source_ == NegativeSource::kBatch && !description_.queries_only;
  const OwnViews own = own_views(input);
  const at::Tensor queries = own.queries.clone().requires_grad_();
  const at::Tensor keys = own.keys.clone().requires_grad_(input.keys.requires_grad());
  const OwnAnchors fixed = own_anchors(own, both);

  Contrast contrast;
  contrast.anchors = anchors_of(queries, keys, both, input);
  const std::vector<ObjectiveTerm> terms = objective_->terms(contrast.anchors);
  std::vector<ScoreTerm> plain = plain_terms(terms);
  BatchRules rules;
  rules.partner_is_candidate = objective_->partner_is_candidate();
  if (description_.needs_labels) rules.positive_rule = PositiveRule::kSameLabel;
  PassRequest nothing;
  nothing.candidates.queries = fixed.vectors;

  ContrastOutput output;
  PassResult scores;
  at::Tensor real_max;  // [A] over bank rows and other views
  if (has_bank(source_)) {
    const bool grouped = input.bank_group != nullptr;
    const QueryBatch batch{own.queries, own.keys,   input.ids, input.labels, grouped ? input.bank_split : input.split,
                           input.step,  input.epoch};
    NegativeRequest request = draw(*bank, batch, input, terms);
    if (request.self_adversarial_scale) weight_by_softmax(plain, *request.self_adversarial_scale);
    request.self_adversarial_scale.reset();
    rules.label_rule = request.label_rule;
    if (request.positive_rule != PositiveRule::kSameLabel) rules.positive_rule = PositiveRule::kNone;
    output.negatives = exchange_.run(grouped ? *input.bank_group : comm, *bank, batch, request, plain, true);
    scores = output.negatives.scores;
    real_max = output.negatives.bank_max.defined() ? output.negatives.bank_max : scores.max;
  } else {
    nothing.terms = plain;
    nothing.want_max = true;
    scores = empty_result(nothing);
    real_max = scores.max;
  }

  BatchViews views;
  if (has_batch(source_)) {
    views = gather_views(comm, own, input.split, both, keys.requires_grad());
    const PassResult batch_scores = batch_terms(views, fixed, plain, rules);
    if (is_sharp(plain)) to_type(scores, at::kDouble);
    scores = merge(plain, scores, batch_scores);
    real_max = at::maximum(real_max, batch_scores.max.to(real_max.scalar_type()));
    contrast.partner_in_terms = rules.partner_is_candidate;
  }
  const std::vector<TermResult> exact_terms = scores.terms;
  to_type(scores, queries.scalar_type());

  contrast.terms = differentiable_terms(contrast.anchors.vectors, terms, scores.terms);
  contrast.count = scores.count.to(queries.options());
  contrast.max = real_max;
  const ObjectiveLoss loss = objective_->loss(comm, contrast);
  const at::Tensor value = loss.per_anchor.sum() / divisor_of(comm, loss, contrast.anchors);

  std::vector<KnownGradient> known;
  known.push_back({input.queries, {}});
  if (keys.requires_grad()) known.push_back({input.keys, {}});
  std::vector<at::Tensor> inputs{queries};
  if (keys.requires_grad()) inputs.push_back(keys);
  for (const at::Tensor& parameter : objective_->parameters()) {
    known.push_back({parameter, {}});
    inputs.push_back(parameter);
  }
  inputs.insert(inputs.end(), contrast.terms.begin(), contrast.terms.end());
  const std::vector<at::Tensor> gradients = gradients_of(value, inputs);
  for (std::size_t i = 0; i < known.size(); ++i) known[i].gradient = gradients[i];

  if (has_batch(source_) && (both || keys.requires_grad())) {
    std::vector<TermShare> shares;
    for (std::size_t i = 0; i < terms.size(); ++i) shares.push_back({gradients[known.size() + i], exact_terms[i]});
    ViewsToDerive derived{both ? fixed.vectors : own.keys, own_positions(views), {}};
    derived.labels = both ? fixed.labels : own.key_labels;
    const at::Tensor gradient = view_gradient(comm, views, input.split, derived, plain, shares, rules);
    const std::int64_t size = queries.size(0);
    if (both) known[0].gradient = known[0].gradient + gradient.narrow(0, 0, size);
    if (keys.requires_grad()) {
      known[1].gradient = known[1].gradient + (both ? gradient.narrow(0, size, size) : gradient);
    }
  }

  output.loss = with_known_gradients(value, known);
  output.per_anchor = loss.per_anchor.detach();
  const auto of_queries = [&](const at::Tensor& values) { return values.narrow(0, 0, queries.size(0)).sum(); };
  const at::Tensor positive = contrast.anchors.positive.detach();
  output.positive_similarity = of_queries(positive);
  output.negative_similarity = of_queries(softmax_mean_score(fixed.vectors, plain, scores.terms));
  output.correct = of_queries(positive > contrast.max);
  for (const auto& [name, sum] : loss.metrics) output.metrics[name] = sum.detach();
  return output;
}

}  // namespace negatron
