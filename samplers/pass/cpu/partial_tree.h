#pragma once

#include <cstdint>
#include <vector>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// ReductionTree for the partials of a kernel: the same tree over leaves, merged in place in a fixed piece of memory.
/// Local.
class PartialTree {
 public:
  /// How many partials the memory must hold for leaves with indices in [first, last].
  static std::int64_t depth(std::int64_t first, std::int64_t last);

  /// Over `query_vectors` queries; `memory` holds depth() partials of `partial_size` numbers.
  PartialTree(const PassKernel& kernel, const PartialShape& shape, std::int64_t query_vectors, float* memory,
              std::int64_t partial_size);

  /// Where to write the partial of leaf `index`. Throws std::invalid_argument unless indices ascend.
  float* next(std::int64_t index);
  /// The root, in `memory`. At least one leaf was written.
  const float* finish();

 private:
  void merge_last_two();

  const PassKernel& kernel_;
  const PartialShape& shape_;
  std::int64_t query_vectors_;
  float* memory_;
  std::int64_t partial_size_;
  std::vector<std::int64_t> first_leaves_;  // of the open nodes
};

}  // namespace negatron
