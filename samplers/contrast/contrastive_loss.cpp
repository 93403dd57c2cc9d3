#include "samplers/contrast/contrastive_loss.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace negatron {
namespace {

/// A name in snapshots: it stays as it is.
constexpr const char* kSamplerState = "sampler_state";
constexpr const char* kSamplerLists = "sampler_lists";

void check(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("contrastive loss: " + message);
}

void check_fit(const Communicator& comm, const ContrastBatch& batch, const at::Tensor& queries) {
  check(static_cast<int>(batch.shares.sizes.size()) == comm.size(), "the split must name a share for every rank");
  check(queries.dim() == 2 && queries.size(0) == batch.shares.size(comm.rank()),
        "queries must be [b, d], b being this rank's share of the split");
  check(queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kDouble, "queries must be fp32 or fp64");
  for (const at::Tensor& values : {batch.ids, batch.labels, batch.key_labels}) {
    check(!values.defined() || (values.dim() == 1 && values.size(0) == queries.size(0)), "ids and labels must be [b]");
  }
}

}  // namespace

ContrastiveLoss::ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source,
                                 std::unique_ptr<Objective> objective, std::unique_ptr<NegativeSampler> sampler)
    : description_(description), source_(source), objective_(std::move(objective)), sampler_(std::move(sampler)) {
  check(objective_ != nullptr, "an objective is needed");
  check(!has_bank() || sampler_ != nullptr, "a source of negatives with a bank needs a sampler");
}

LossStep ContrastiveLoss::begin(Communicator& comm, const Bank* bank, const ContrastBatch& batch,
                                const at::Tensor& queries) {
  check_fit(comm, batch, queries);
  check(!has_bank() || bank != nullptr, "this source of negatives needs a bank");
  check(!description_.needs_labels || batch.labels.defined(),
        "this objective finds its positives by label: labels are needed");
  return LossStep(*this, comm, bank, batch, queries);
}

void ContrastiveLoss::learn(Communicator& comm, const ContrastBatch& batch, const NegativeResult& negatives) {
  if (!negatives.kept.defined()) return;
  const at::Tensor ids = comm.all_gather(batch.ids.to(negatives.kept.device()), batch.shares.sizes);
  const at::Tensor kept = comm.all_gather(negatives.kept, batch.shares.sizes);
  sampler_->learn(ids.cpu(), kept.cpu());
}

bool ContrastiveLoss::has_bank() const noexcept {
  return source_ == NegativeSource::kBank || source_ == NegativeSource::kBankAndBatch;
}

bool ContrastiveLoss::has_batch() const noexcept {
  return source_ == NegativeSource::kBatch || source_ == NegativeSource::kBankAndBatch;
}

std::vector<std::pair<std::string, at::Tensor>> ContrastiveLoss::named_parameters() const {
  std::vector<std::pair<std::string, at::Tensor>> named;
  const auto add = [&](const std::string& owner, const std::vector<at::Tensor>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) named.emplace_back(owner + std::to_string(i), parameters[i]);
  };
  // Names in snapshots: they stay as they are.
  add("objective.", objective_->parameters());
  if (generator() != nullptr) add("generator.", generator()->parameters());
  return named;
}

NamedState ContrastiveLoss::state() const {
  NamedState state = exchange_.state();
  state.add(objective_->state());
  if (sampler_ != nullptr) state.text[kSamplerState] = sampler_->state();
  if (sampler_ != nullptr && sampler_->lists().defined()) state.tensors.emplace_back(kSamplerLists, sampler_->lists());
  return state;
}

bool ContrastiveLoss::remembers(const std::string& tensor) {
  return tensor == kSamplerLists || BankExchange::remembers(tensor);
}

void ContrastiveLoss::restore(const NamedState& state, bool same_sampler, at::Device device) {
  const bool goes_on = same_sampler && sampler_ != nullptr;
  const bool has_lists = goes_on && sampler_->lists().defined();
  if (has_lists) sampler_->check_lists(state.tensor(kSamplerLists));
  objective_->restore(state);
  exchange_.restore(state, goes_on, device);
  if (has_lists) sampler_->restore_lists(state.tensor(kSamplerLists));
  if (goes_on) sampler_->restore(state.text_of(kSamplerState));
}

}  // namespace negatron
