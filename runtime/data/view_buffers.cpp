#include "runtime/data/view_buffers.h"

#include <algorithm>
#include <atomic>

namespace negatron {

at::Tensor ViewBuffers::take(at::IntArrayRef sizes) {
  const std::lock_guard lock(mutex_);
  // Whoever holds a tensor of this memory is counted by its storage, where the buffer itself is one.
  const auto found = std::find_if(buffers_.begin(), buffers_.end(), [&](const at::Tensor& buffer) {
    return buffer.sizes() == sizes && buffer.storage().use_count() == 1;
  });
  if (found == buffers_.end()) return buffers_.emplace_back(at::empty(sizes, at::kFloat)).detach();
  // The last holder may have been another thread: what it read comes before what is written now.
  std::atomic_thread_fence(std::memory_order_acquire);
  return found->detach();
}

}  // namespace negatron
