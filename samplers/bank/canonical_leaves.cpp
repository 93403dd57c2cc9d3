#include "samplers/bank/canonical_leaves.h"

#include <algorithm>
#include <bit>

namespace negatron {
namespace {

std::int64_t next_power_of_two(std::int64_t value) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(value)));
}

std::int64_t ceil_divide(std::int64_t value, std::int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace

std::vector<Leaf> canonical_leaves(std::int64_t height, std::int64_t columns, Range offsets) {
  std::vector<Leaf> leaves;
  if (height < 1 || columns < 1) return leaves;
  // Powers of two, so that nodes of the tree lie at multiples of their size. Not more runs than offsets, rounded up:
  // cuts by rounding down may then leave a run without an offset, which makes no leaf but keeps its index.
  const std::int64_t row_runs =
      std::min(next_power_of_two(height), next_power_of_two(ceil_divide(height * columns, kLeafRows)));
  const std::int64_t column_runs = next_power_of_two(ceil_divide(columns, kLeafRows));
  // Runs of columns are contiguous in memory only inside one offset, which is what one run of rows then holds: with
  // more than kLeafRows columns there are at least as many runs of rows as offsets.
  for (std::int64_t i = 0; i < row_runs; ++i) {
    // A run that a rank boundary cuts is a leaf on both ranks, under one index: 3 ranks and 8 offsets of 512 columns
    // cut leaf 1, offsets 2 and 3, between rank 0 and rank 1.
    const std::int64_t first = std::max(i * height / row_runs, offsets.begin) - offsets.begin;
    const std::int64_t last = std::min((i + 1) * height / row_runs, offsets.end) - offsets.begin;
    if (first >= last) continue;
    for (std::int64_t j = 0; j < column_runs; ++j) {
      Leaf leaf;
      leaf.index = i * column_runs + j;
      leaf.begin = first * columns + j * columns / column_runs;
      leaf.end = (last - 1) * columns + (j + 1) * columns / column_runs;
      leaf.valid = leaf.size();
      if (leaf.size() > 0) leaves.push_back(leaf);
    }
  }
  return leaves;
}

}  // namespace negatron
