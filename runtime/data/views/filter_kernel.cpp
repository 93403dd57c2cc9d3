#include "runtime/data/views/filter_kernel.h"

#include "samplers/cpu/vector_code.h"

namespace negatron {

namespace {

// Four rows go into a sum at a time: it is read and written a quarter as often.
constexpr std::int64_t kRowsTogether = 4;

template <typename Value>
NEGATRON_IN_VECTOR_CODE void sum_any_rows(const Value* const* rows, const float* weights, std::int64_t taps,
                                          std::int64_t columns, float* __restrict sum) {
  for (std::int64_t first = 0; first < taps; first += kRowsTogether) {
    // Where fewer are left, the last one once more, with the weight 0.
    const auto row = [&](std::int64_t i) { return rows[first + i < taps ? first + i : taps - 1]; };
    const auto weight = [&](std::int64_t i) { return first + i < taps ? weights[first + i] : 0.0F; };
    const Value* __restrict a = row(0);
    const Value* __restrict b = row(1);
    const Value* __restrict c = row(2);
    const Value* __restrict d = row(3);
    const float of_a = weight(0), of_b = weight(1), of_c = weight(2), of_d = weight(3);
    if (first == 0) {
      for (std::int64_t x = 0; x < columns; ++x) {
        sum[x] = of_a * static_cast<float>(a[x]) + of_b * static_cast<float>(b[x]) + of_c * static_cast<float>(c[x]) +
                 of_d * static_cast<float>(d[x]);
      }
    } else {
      for (std::int64_t x = 0; x < columns; ++x) {
        sum[x] = sum[x] + of_a * static_cast<float>(a[x]) + of_b * static_cast<float>(b[x]) +
                 of_c * static_cast<float>(c[x]) + of_d * static_cast<float>(d[x]);
      }
    }
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
