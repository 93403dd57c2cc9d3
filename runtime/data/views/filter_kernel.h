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

/// So many rows lie beside each other, so that what is done to a column of one is done to all with one instruction.
inline constexpr std::int64_t kLanes = 8;

/// rows [kLanes][columns] -> lanes [columns][kLanes], and back.
void put_beside(const float* rows, std::int64_t columns, float* lanes);
void take_apart(const float* lanes, std::int64_t columns, float* rows);

/// Of each lane: out[x] <- sum over t of weights[t][x] row[first[x] + t]. row [inputs][kLanes], out [outputs][kLanes].
void filter_columns(const float* row, const ColumnTaps& columns, float* out);

}  // namespace negatron
