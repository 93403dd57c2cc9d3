#include "samplers/contrast/contrastive_loss.h"

#include <stdexcept>
#include <utility>

namespace negatron {
namespace {

/// A name in snapshots: it stays as it is.
constexpr const char* kSamplerState = "sampler_state";

}  // namespace

ContrastiveLoss::ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source,
                                 std::unique_ptr<Objective> objective, std::unique_ptr<NegativeSampler> sampler)
    : description_(description), source_(source), objective_(std::move(objective)), sampler_(std::move(sampler)) {
  if (objective_ == nullptr) throw std::invalid_argument("contrastive loss: an objective is needed");
  if (has_bank() && sampler_ == nullptr) {
    throw std::invalid_argument("contrastive loss: a source of negatives with a bank needs a sampler");
  }
}

LossStep ContrastiveLoss::begin(Communicator& comm, const Bank* bank, const ContrastBatch& batch,
                                const at::Tensor& queries) {
  return LossStep(*this, comm, bank, batch, queries);
}

bool ContrastiveLoss::has_bank() const noexcept {
  return source_ == NegativeSource::kBank || source_ == NegativeSource::kBankAndBatch;
}

bool ContrastiveLoss::has_batch() const noexcept {
  return source_ == NegativeSource::kBatch || source_ == NegativeSource::kBankAndBatch;
}

NamedState ContrastiveLoss::state() const {
  NamedState state = exchange_.state();
  if (sampler_ != nullptr) state.text[kSamplerState] = sampler_->state();
  return state;
}

void ContrastiveLoss::restore(const NamedState& state, bool same_sampler, at::Device device) {
  const bool goes_on = same_sampler && sampler_ != nullptr;
  exchange_.restore(state, goes_on, device);
  if (goes_on) sampler_->restore(state.text_of(kSamplerState));
}

}  // namespace negatron
