#pragma once

#include <mutex>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Memory for the views of batches, used again once nobody holds the batch any more: a batch of colour views takes tens
/// of megabytes, which the kernel would clear page by page each time. Local, thread-safe.
class ViewBuffers {
 public:
  /// A tensor of float with any values. Its memory is taken back when neither it nor a part of it exists any longer.
  at::Tensor take(at::IntArrayRef sizes);

 private:
  std::mutex mutex_;
  std::vector<at::Tensor> buffers_;
};

}  // namespace negatron
