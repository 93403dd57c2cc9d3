#pragma once

#include <cstdint>

#include "samplers/pass/canonical_tree.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// Merges the partials that a kernel computes of leaves in the canonical tree (canonical_tree.h), in place in a fixed
/// piece of memory. Local.
class PartialTree {
 public:
  /// How many partials the memory must hold for leaves with indices in [first, last].
  static std::int64_t depth(std::int64_t first, std::int64_t last);

  /// Over `query_vectors` queries; `memory` holds depth() partials of `partial_size` numbers.
  PartialTree(const PassKernel& kernel, const PartialShape& shape, std::int64_t query_vectors, float* memory,
              std::int64_t partial_size);

  /// The place to write the partial of leaf `index` to. Throws std::invalid_argument unless indices ascend.
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
  CanonicalTree tree_;
};

}  // namespace negatron
