#pragma once

// A gradient against central differences of its loss, along directions that move every number of a tensor at once. A
// gradient that is wrong in one place is wrong along each of them, so a few tell what a difference for each number
// would, at a small part of the evaluations. Of a tensor of 35 numbers:
//
//   70 evaluations:  (f(x + h e_i) - f(x - h e_i)) / 2h  beside  g_i        for each i
//    8 evaluations:  (f(x + h v) - f(x - h v)) / 2h      beside  sum g_i v_i  for four random unit vectors v

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {

struct Slopes {
  at::Tensor directions;  // [n, numbers] unit rows
  at::Tensor values;      // [n] the loss's slope along each
};

/// `vectors`, a tensor that `loss` reads, is moved by `step` either way, and is what it was afterwards.
inline Slopes slopes_along(const at::Tensor& vectors, double step, const std::function<double()>& loss) {
  constexpr std::int64_t kDirections = 4;
  constexpr std::uint64_t kSeed = 77;
  const at::Tensor before = vectors.clone();
  Slopes slopes{random_unit_rows(kSeed, 0, kDirections, vectors.numel()), at::zeros({kDirections}, at::kDouble)};
  for (std::int64_t i = 0; i < kDirections; ++i) {
    const at::Tensor move = slopes.directions[i].view_as(before) * step;
    vectors.copy_(before + move);
    const double above = loss();
    vectors.copy_(before - move);
    slopes.values[i] = (above - loss()) / (2.0 * step);
  }
  vectors.copy_(before);
  return slopes;
}

/// How far a gradient of the vectors is from the slopes, along the direction where that is most.
inline double farthest(const at::Tensor& gradient, const Slopes& slopes) {
  return (slopes.directions.mv(gradient.reshape(-1)) - slopes.values).abs().max().item<double>();
}

/// Fails where it is farther off than `absolute` and `relative` of the slope.
inline void expect_slopes(const at::Tensor& gradient, const Slopes& slopes, double relative, double absolute) {
  const at::Tensor found = slopes.directions.mv(gradient.reshape(-1));
  EXPECT_TRUE(at::allclose(found, slopes.values, relative, absolute)) << found << slopes.values;
}

}  // namespace negatron::testing
