#include "samplers/contrast/loss_step.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <ATen/core/grad_mode.h>

#include "comm/queued_copy.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/contrast/differentiable_terms.h"
#include "samplers/contrast/rows_loss.h"

namespace negatron {
namespace {

void check_step(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("contrastive loss: " + message);
}

/// What anchors have met before they met anything.
PassResult nothing_met(const at::Tensor& anchors, const std::vector<ScoreTerm>& terms) {
  PassRequest nothing;
  nothing.candidates.queries = anchors;
  nothing.terms = terms;
  nothing.want_max = true;
  return empty_result(nothing);
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
  if (asks_for_no_row(*request_)) return;
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
  request.keeps_met = rows_raise() || batch_.rows_follow;
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

ContrastOutput LossStep::finish(const at::Tensor& keys, const at::Tensor& mined) {
  check_step(
      keys.defined() && keys.sizes() == given_queries_.sizes() && keys.scalar_type() == given_queries_.scalar_type(),
      "keys must have the shape and dtype of the queries");
  check_step(!mined.defined() || (mined.dim() == 3 && mined.size(0) == keys.size(0) && mined.size(2) == keys.size(1) &&
                                  mined.scalar_type() == keys.scalar_type()),
             "what was mined must be [b, L, d], of the queries' dtype");
  check_step(!mined.defined() || !both_, "what was mined is met by queries, and here keys are anchors, too");
  for (const at::Tensor& of_mined : {batch_.mined_ids, batch_.mined_labels}) {
    check_step(!of_mined.defined() || (mined.defined() && of_mined.dim() == 2 && of_mined.size(0) == mined.size(0) &&
                                       of_mined.size(1) == mined.size(1)),
               "ids and labels of what was mined must be [b, L]");
  }
  given_mined_ = mined;
  // A graph of this rank's numbers alone: its gradients are taken here, completed by other ranks', and handed on.
  const at::AutoGradMode with_gradient(true);
  take_keys(keys);
  if (loss_.objective().needs_first_look()) look_first();
  prepare(objective_terms_ ? *objective_terms_ : loss_.objective().terms(contrast_.anchors));
  meet_all();
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
  mined_.reset();
}

void LossStep::prepare(std::vector<ObjectiveTerm> terms) {
  objective_terms_ = std::move(terms);
  terms_ = scored_terms();
  scores_ = nothing_met(fixed_.vectors, terms_);
  real_max_ = scores_.max;
}

std::vector<ScoreTerm> LossStep::scored_terms() const {
  std::vector<ScoreTerm> terms = plain_terms(*objective_terms_);
  if (rows_raise()) terms.push_back(rows_term(batch_.rows_tau));
  return terms;
}

// Equal on all ranks, as the request is but for its tensors.
bool LossStep::asks_for_no_row(const NegativeRequest& request) {
  return request.sets.empty() && !request.kept && !request.mixes && !request.vectors.defined() &&
         request.positive_rule != PositiveRule::kWindow && !request.self_adversarial_scale && !request.keeps_met &&
         request.report_hardest == 0;
}

void LossStep::meet_bank() {
  if (!request_) request_ = draw_request();
  // The batch is scored by the rules of the bank: the same rules of labels, and below the same weights by softmax.
  rules_.label_rule = request_->label_rule;
  if (request_->positive_rule != PositiveRule::kSameLabel) rules_.positive_rule = PositiveRule::kNone;
  if (asks_for_no_row(*request_)) {
    // Then nothing was met, which prepare() has written down.
    negatives_.scores = scores_;
    negatives_.bank_max = real_max_;
    request_.reset();
    return;
  }
  if (!stage_) stage_.emplace(loss_.exchange().begin(bank_group(), *bank_, query_batch(), *request_, terms_));
  terms_ = stage_->terms();
  negatives_ = stage_->finish();
  may_lack_largest_ = !request_->needs_largest;
  // The queries of all ranks are not needed any more, nor what the sampler made for own ones.
  stage_.reset();
  request_.reset();
  scores_ = negatives_.scores;
  real_max_ = negatives_.bank_max;
  if (negatives_.tried.defined()) {
    // Of K - 1 rows that could outrank the positive one was met after so many trials (Weston et al., WSABIE, 2011): at
    // least that one, also where there were more trials than rows.
    const at::Tensor expected =
        at::floor_divide(at::full_like(negatives_.tried, bank_->filled() - 1), negatives_.tried);
    const at::Tensor more = expected.clamp_min(1) - 1;
    contrast_.more_violators = more.masked_fill(scores_.count == 0, 0).to(queries_.options());
  }
}

void LossStep::meet_generated() {
  GeneratorInput input;
  input.queries = fixed_.vectors;
  input.keys = fixed_.partners;
  const QueryShares& shares = batch_.bank_group != nullptr ? batch_.bank_shares : batch_.shares;
  input.first = shares.begin(bank_group().rank());
  input.step = batch_.step;
  const at::ScalarType type = listed_type();
  to_type(scores_, type);
  generated_.emplace(bank_group(), *bank_, *loss_.generator(), std::move(input), negatives_.hardest, type);
  // How hard real negatives are does not depend on it.
  const at::Tensor real_max = scores_.max;
  scores_ = merge(terms_, scores_, generated_->score(terms_));
  scores_.max = real_max;
}

void LossStep::meet_mined() {
  const at::ScalarType type = listed_type();
  to_type(scores_, type);
  const at::Device place = given_mined_.device();
  at::Tensor present =
      at::ones({given_mined_.size(0), given_mined_.size(1)}, at::TensorOptions(at::kBool).device(place));
  // After a broken image, a sample may stand in the place of one that is near it because it is the same.
  if (batch_.mined_ids.defined() && batch_.ids.defined()) {
    present = queued_copy(batch_.mined_ids != batch_.ids.unsqueeze(1), place);
  }
  at::Tensor positive;
  if (rules_.positive_rule == PositiveRule::kSameLabel && batch_.mined_labels.defined()) {
    positive = queued_copy(mined_same_label(), place);
  }
  mined_.emplace(fixed_.vectors, given_mined_, present, type, positive);
  const PassResult of_mined = mined_->score(terms_);
  scores_ = merge(terms_, scores_, of_mined);
  // They are samples, and as real as rows of the bank.
  real_max_ = at::maximum(real_max_, of_mined.max.to(real_max_.scalar_type()));
}

at::Tensor LossStep::mined_same_label() const {
  const at::Tensor own = batch_.labels.unsqueeze(1);
  return (batch_.mined_labels == own) & (own >= 0);
}

// What is so sharp needs scores whose rounding does not show, as those of the batch do.
at::ScalarType LossStep::listed_type() const {
  return is_sharp(terms_) ? at::kDouble : fixed_.vectors.scalar_type();
}

void LossStep::meet_all() {
  if (loss_.has_bank()) meet_bank();
  if (loss_.generator() != nullptr) meet_generated();
  if (given_mined_.defined()) meet_mined();
  if (loss_.has_batch()) meet_batch();
}

void LossStep::meet_batch() {
  views_ = gather_views(comm_, fixed_, batch_.shares, both_, keys_.requires_grad());
  const PassResult of_batch = batch_terms(*views_, fixed_, terms_, rules_);
  if (is_sharp(terms_)) to_type(scores_, at::kDouble);
  scores_ = merge(terms_, scores_, of_batch);
  real_max_ = at::maximum(real_max_, of_batch.max.to(real_max_.scalar_type()));
  contrast_.partner_in_terms = rules_.partner_is_candidate;
  contrast_.views.vectors = views_->rows.vectors;
  contrast_.views.labels = views_->rows.labels;
  contrast_.views.positions = queued_copy(own_positions(*views_), fixed_.vectors.device());
  contrast_.views.anchors_of_ranks = batch_.shares.sizes;
  for (std::int64_t& anchors : contrast_.views.anchors_of_ranks) anchors *= both_ ? 2 : 1;
}

void LossStep::to_type(PassResult& result, at::ScalarType type) {
  for (TermResult& term : result.terms) {
    for (at::Tensor* tensor : {&term.value, &term.gradient, &term.slope, &term.log_weight}) {
      if (tensor->defined()) *tensor = tensor->to(type);
    }
  }
  if (result.max.defined()) result.max = result.max.to(type);
}

}  // namespace negatron
