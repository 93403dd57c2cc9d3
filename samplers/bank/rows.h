#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/row_length.h"

namespace negatron {

/// A run of rows [begin, end) that one pass scores as one tile: a leaf of the canonical reduction tree.
struct Leaf {
  /// Position among the leaves of the whole bank (not of this rank), see canonical_leaves.h.
  std::int64_t index = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  /// How many of its rows may score. Leaves without any are skipped.
  std::int64_t valid = 0;
  std::int64_t size() const noexcept { return end - begin; }
};

/// What a pass scores queries against. Local.
struct Rows {
  /// [n, d] of `length`, kUnit or kAsMade, fp64, fp32, bf16 or fp16.
  at::Tensor vectors;
  /// [n] fp32: 0 where the row may score, -infinity where it is a hole or has expired. Undefined when all may score.
  at::Tensor validity;
  /// [n] int64, the global slot of each row, -1 where it holds none. For selection.
  at::Tensor slots;
  /// [n] int64, the label of each row, below 0 where unknown. For label rules.
  at::Tensor labels;
  /// [n] fp64 above 0, by which q . n is multiplied in orders by score: rows of one kind may be made to count as harder
  /// than they score. Undefined for none.
  at::Tensor order_factors;
  /// Ascending, together [0, n).
  std::vector<Leaf> leaves;
  /// kUnit is a promise that kernels may build on: they bound scores by the length of the query.
  RowLength length = RowLength::kUnit;
};

}  // namespace negatron
