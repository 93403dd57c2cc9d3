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

NEGATRON_VECTOR_CODE void put_beside(const float* __restrict rows, std::int64_t columns, float* __restrict lanes) {
  for (std::int64_t x = 0; x < columns; ++x) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[x * kLanes + lane] = rows[lane * columns + x];
  }
}

NEGATRON_VECTOR_CODE void take_apart(const float* __restrict lanes, std::int64_t columns, float* __restrict rows) {
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    for (std::int64_t x = 0; x < columns; ++x) rows[lane * columns + x] = lanes[x * kLanes + lane];
  }
}

// Inputs of neighbouring outputs are not neighbours, and gathering them one by one is slow on most processors: hence
// lanes.
NEGATRON_VECTOR_CODE void filter_columns(const float* __restrict row, const ColumnTaps& columns,
                                         float* __restrict out) {
  // Of any alignment.
  using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));
  const std::int64_t outputs = columns.outputs, taps = columns.taps;
  for (std::int64_t x = 0; x < outputs; ++x) {
    const auto* input = reinterpret_cast<const Lanes*>(row + columns.first[x] * kLanes);
    const float* weight = columns.weights + x;
    Lanes sum = *weight * *input;
    for (std::int64_t tap = 1; tap < taps; ++tap) sum += weight[tap * outputs] * input[tap];
    *reinterpret_cast<Lanes*>(out + x * kLanes) = sum;
  }
}

}  // namespace negatron
