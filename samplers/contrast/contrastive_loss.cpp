#include "samplers/contrast/contrastive_loss.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "samplers/contrast/loss_step.h"

namespace negatron {
namespace {

void check_input(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("contrastive loss: " + message);
}

bool has_bank(NegativeSource source) {
  return source == NegativeSource::kBank || source == NegativeSource::kBankAndBatch;
}

bool has_batch(NegativeSource source) {
  return source == NegativeSource::kBatch || source == NegativeSource::kBankAndBatch;
}

/// Keys may still be missing.
void check(const Communicator& comm, const Bank* bank, const ContrastInput& input, NegativeSource source,
           bool needs_labels) {
  check_input(static_cast<int>(input.shares.sizes.size()) == comm.size(), "the split must name a share for every rank");
  const at::Tensor& queries = input.queries;
  check_input(queries.dim() == 2 && queries.size(0) == input.shares.size(comm.rank()),
              "queries must be [b, d], b being this rank's share of the split");
  check_input(queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kDouble,
              "queries must be fp32 or fp64");
  check_input(!has_bank(source) || bank != nullptr, "this source of negatives needs a bank");
  check_input(!needs_labels || input.labels.defined(),
              "this objective finds its positives by label: labels are needed");
  for (const at::Tensor& values : {input.ids, input.labels, input.key_labels}) {
    check_input(!values.defined() || (values.dim() == 1 && values.size(0) == queries.size(0)),
                "ids and labels must be [b]");
  }
}

void check_keys(const ContrastInput& input) {
  check_input(input.keys.defined() && input.keys.sizes() == input.queries.sizes() &&
                  input.keys.scalar_type() == input.queries.scalar_type(),
              "keys must have the shape and dtype of the queries");
}

Communicator& bank_group(Communicator& comm, const ContrastInput& input) {
  return input.bank_group != nullptr ? *input.bank_group : comm;
}

QueryBatch query_batch(const ContrastInput& input) {
  QueryBatch batch;
  batch.queries = input.queries.detach();
  if (input.keys.defined()) batch.keys = input.keys.detach();
  batch.ids = input.ids;
  batch.labels = input.labels;
  batch.shares = input.bank_group != nullptr ? input.bank_shares : input.shares;
  batch.step = input.step;
  batch.epoch = input.epoch;
  return batch;
}

}  // namespace

ContrastiveLoss::ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source,
                                 std::unique_ptr<Objective> objective, std::unique_ptr<NegativeSampler> sampler)
    : description_(description), source_(source), objective_(std::move(objective)), sampler_(std::move(sampler)) {
  check_input(objective_ != nullptr, "an objective is needed");
  check_input(!has_bank(source_) || sampler_ != nullptr, "a source of negatives with a bank needs a sampler");
}

NegativeRequest ContrastiveLoss::request_of(const Bank& bank, const QueryBatch& batch, const ContrastInput& input,
                                            const std::vector<ObjectiveTerm>& terms) const {
  NegativeRequest request = sampler_->request(bank, batch);
  if (description_.needs_labels && request.positive_rule == PositiveRule::kNone) {
    request.positive_rule = PositiveRule::kSameLabel;
  }
  request.report_hardest = std::max(request.report_hardest, input.report_hardest);
  for (const ObjectiveTerm& term : terms) {
    check_input(!term.log_scale.defined() || !request.mixes || !request.mixes->attached,
                "a learned scale does not go with attached mixes, whose scores are not linear in the query");
  }
  return request;
}

std::optional<StartedBankStage> ContrastiveLoss::start(Communicator& comm, const Bank* bank,
                                                       const ContrastInput& input) {
  if (!has_bank(source_) || sampler_->draws_by_keys() || objective_->terms_need_partners()) return std::nullopt;
  check(comm, bank, input, source_, description_.needs_labels);
  const at::NoGradGuard no_grad;
  Anchors anchors;
  anchors.vectors = input.queries.detach();
  anchors.global_count = input.shares.total();
  anchors.step = input.step;
  anchors.progress = input.progress;
  const std::vector<ObjectiveTerm> objective_terms = objective_->terms(anchors);
  const QueryBatch batch = query_batch(input);
  StartedBankStage started;
  started.request = request_of(*bank, batch, input, objective_terms);
  if (needs_keys(started.request)) return std::nullopt;
  Communicator& group = bank_group(comm, input);
  started.exchange = exchange_.start(group, *bank, batch, started.request, plain_terms(objective_terms), true);
  exchange_.score_beside(group, *bank, started.exchange);
  return started;
}

ContrastOutput ContrastiveLoss::compute(Communicator& comm, const Bank* bank, const ContrastInput& input,
                                        std::optional<StartedBankStage> started) {
  check(comm, bank, input, source_, description_.needs_labels);
  check_keys(input);
  // A graph of this rank's numbers alone: its gradients are taken here, completed by other ranks', and handed on.
  const at::AutoGradMode with_gradient(true);
  LossStep step(input, *objective_, description_, source_ == NegativeSource::kBatch);
  if (has_bank(source_)) {
    const QueryBatch batch = query_batch(input);
    NegativeRequest request = started ? started->request : request_of(*bank, batch, input, step.objective_terms());
    step.follow_rules_of(request);
    Communicator& group = bank_group(comm, input);
    step.meet_bank(started ? exchange_.finish(group, *bank, std::move(started->exchange))
                           : exchange_.run(group, *bank, batch, request, step.terms(), true));
  }
  if (has_batch(source_)) step.meet_batch(comm);
  return step.finish(comm);
}

}  // namespace negatron
