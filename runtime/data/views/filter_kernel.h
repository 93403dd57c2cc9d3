#pragma once

#include <cstdint>

namespace negatron {

// Weighted sums of rows and of columns: what crops and blurs are made of. On the host; the same bits on every
// processor, terms being added in the order of the taps.

/// sum[x] <- sum[x] + weight * row[x].
void add_rows(const std::uint8_t* row, std::int64_t columns, float weight, float* sum);
void add_rows(const float* row, std::int64_t columns, float weight, float* sum);

/// For each output of a row, the inputs that it is made of: `taps` of them from first[x] on, with weights
/// [taps][outputs].
struct ColumnTaps {
  const std::int32_t* first = nullptr;
  const float* weights = nullptr;
  std::int64_t taps = 0;
  std::int64_t outputs = 0;
};

/// out[x] <- sum over t of weights[t][x] row[first[x] + t].
void gather_columns(const float* row, const ColumnTaps& columns, float* out);

}  // namespace negatron
