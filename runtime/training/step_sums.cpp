#include "runtime/training/step_sums.h"

namespace negatron {

void StepSums::add(const std::string& name, const at::Tensor& sum) {
  names_.push_back(name);
  // The first scalar says where the others go: all of them travel in one tensor.
  const at::Device device = sums_.empty() ? sum.device() : sums_.front().device();
  // In fp64 and without a look from the host: the sums of a step are added over ranks as one message of scalars.
  sums_.push_back(sum.detach().to(device, at::kDouble).reshape({}));
}

void StepSums::add(const std::map<std::string, at::Tensor>& sums) {
  for (const auto& [name, sum] : sums) add(name, sum);
}

void StepSums::set(const at::Tensor& stacked) {
  const at::Tensor host = stacked.cpu();
  for (std::size_t i = 0; i < names_.size(); ++i)
    values_[names_[i]] = host[static_cast<std::int64_t>(i)].item<double>();
}

}  // namespace negatron
