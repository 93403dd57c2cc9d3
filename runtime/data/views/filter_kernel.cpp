#include "runtime/data/views/filter_kernel.h"

#include "runtime/data/views/vector_code.h"

namespace negatron {

NEGATRON_VECTOR_CODE void add_rows(const std::uint8_t* __restrict row, std::int64_t columns, float weight,
                                   float* __restrict sum) {
  for (std::int64_t x = 0; x < columns; ++x) sum[x] += weight * static_cast<float>(row[x]);
}

NEGATRON_VECTOR_CODE void add_rows(const float* __restrict row, std::int64_t columns, float weight,
                                   float* __restrict sum) {
  for (std::int64_t x = 0; x < columns; ++x) sum[x] += weight * row[x];
}

NEGATRON_VECTOR_CODE void gather_columns(const float* __restrict row, const ColumnTaps& columns,
                                         float* __restrict out) {
  const std::int32_t* __restrict first = columns.first;
  const float* __restrict weights = columns.weights;
  const std::int64_t outputs = columns.outputs;
  for (std::int64_t x = 0; x < outputs; ++x) out[x] = weights[x] * row[first[x]];
  for (std::int64_t tap = 1; tap < columns.taps; ++tap) {
    const float* __restrict weight = weights + tap * outputs;
    const float* __restrict shifted = row + tap;
    for (std::int64_t x = 0; x < outputs; ++x) out[x] += weight[x] * shifted[first[x]];
  }
}

}  // namespace negatron
