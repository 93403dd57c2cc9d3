#pragma once

#include <cstdint>
#include <vector>

#include "comm/share.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What a kernel must keep for a request of plain terms over rows of `width` numbers.
PartialShape partial_shape(const PassRequest& request, std::int64_t width);

/// The result of a request of plain terms, filled from partials over all rows. Local.
class PartialResults {
 public:
  /// `request` and `kernel` are referred to.
  PartialResults(const PassRequest& request, const PassKernel& kernel, const PartialShape& shape);

  /// Results of the queries [begin, end), which begin a group, from their partials. From any thread.
  void fill(Range queries, const float* partial);
  /// `count` [Q] is how many rows each query met.
  PassResult take(at::Tensor count);

 private:
  void fill_group(Range queries, std::int64_t g, const float* partial);

  const PassRequest& request_;
  const PassKernel& kernel_;
  PartialShape shape_;
  std::vector<at::Tensor> offsets_;  // [Q] each
  PassResult result_;
};

}  // namespace negatron
