#include "comm/staging.h"

#include <algorithm>

namespace negatron {
namespace {

at::Tensor pinned(const at::Tensor& like, std::int64_t elements) {
  return at::empty({elements}, like.options().device(at::kCPU).pinned_memory(true).requires_grad(false));
}

/// Between a host tensor and a device tensor, both contiguous and of as many elements.
void copy_through_pinned_memory(const at::Tensor& from, const at::Tensor& to) {
  const at::Tensor source = from.detach().view({-1});
  const at::Tensor target = to.detach().view({-1});
  const std::int64_t elements = source.size(0);
  const std::int64_t part = std::min(elements, Staging::kPinnedBytes / static_cast<std::int64_t>(from.element_size()));
  if (elements == 0) return;
  const at::Tensor block = pinned(source, part);
  // To the device without waiting, as the caller need not know when the bytes arrive: what it queues comes after them,
  // and the cache of pinned memory hands the block out again when the device has read it. Not so when the block is
  // wanted again for the next part. From the device each part is waited for, because the host reads it.
  const bool waits = elements > part;
  for (std::int64_t begin = 0; begin < elements; begin += part) {
    const std::int64_t length = std::min(part, elements - begin);
    const at::Tensor staged = block.narrow(0, 0, length);
    staged.copy_(source.narrow(0, begin, length));
    target.narrow(0, begin, length).copy_(staged, /*non_blocking=*/!waits && source.is_cpu());
  }
}

}  // namespace

bool Staging::moves(const at::Tensor& tensor) const {
  return tensor.is_cpu() != home_.is_cpu();
}

at::Tensor Staging::bring(const at::Tensor& tensor) const {
  const at::Tensor here = at::empty(tensor.sizes(), tensor.options().device(home_).requires_grad(false));
  copy_through_pinned_memory(tensor, here);
  return here;
}

void Staging::give_back(const at::Tensor& from, const at::Tensor& to) const {
  copy_through_pinned_memory(from, to);
}

}  // namespace negatron
