#include "samplers/contrast/contrastive_loss.h"

#include <stdexcept>
#include <utility>

namespace negatron {

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

}  // namespace negatron
