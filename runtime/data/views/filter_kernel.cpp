#include "runtime/data/views/filter_kernel.h"

#include "runtime/data/views/vector_code.h"

namespace negatron {

namespace {

// A sum of so many columns stays in registers while the rows go by.
constexpr std::int64_t kTogether = 16;

// Of any alignment.
using Bytes = std::uint8_t __attribute__((vector_size(kTogether), aligned(1), may_alias));
using Floats = float __attribute__((vector_size(kTogether * sizeof(float)), aligned(alignof(float)), may_alias));
template <typename Value>
struct VectorOf;
template <>
struct VectorOf<std::uint8_t> {
  using Type = Bytes;
};
template <>
struct VectorOf<float> {
  using Type = Floats;
};

template <typename Value>
NEGATRON_IN_VECTOR_CODE void sum_any_rows(const Value* const* rows, const float* weights, std::int64_t taps,
                                          std::int64_t columns, float* sum) {
  using Values = typename VectorOf<Value>::Type;
  std::int64_t x = 0;
  for (; x + kTogether <= columns; x += kTogether) {
    Floats sums = {};
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      sums += weights[tap] * __builtin_convertvector(*reinterpret_cast<const Values*>(rows[tap] + x), Floats);
    }
    *reinterpret_cast<Floats*>(sum + x) = sums;
  }
  for (; x < columns; ++x) {
    float one = 0.0F;
    for (std::int64_t tap = 0; tap < taps; ++tap) one += weights[tap] * static_cast<float>(rows[tap][x]);
    sum[x] = one;
  }
}

}  // namespace

NEGATRON_VECTOR_CODE void sum_rows(const std::uint8_t* const* rows, const float* weights, std::int64_t taps,
                                   std::int64_t columns, float* sum) {
  sum_any_rows(rows, weights, taps, columns, sum);
}

NEGATRON_VECTOR_CODE void sum_rows(const float* const* rows, const float* weights, std::int64_t taps,
                                   std::int64_t columns, float* sum) {
  sum_any_rows(rows, weights, taps, columns, sum);
}

NEGATRON_VECTOR_CODE void put_beside(const float* __restrict rows, std::int64_t columns, float* __restrict lanes) {
  for (std::int64_t x = 0; x < columns; ++x) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[x * kLanes + lane] = rows[lane * columns + x];
  }
}

NEGATRON_VECTOR_CODE void take_apart(const float* __restrict lanes, std::int64_t columns, std::int64_t count,
                                     float* __restrict rows) {
  for (std::int64_t lane = 0; lane < count; ++lane) {
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

NEGATRON_VECTOR_CODE void centre_values(float* __restrict values, std::int64_t count, float mean, float scale) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = (values[i] - mean) * scale;
}

}  // namespace negatron
