#include "samplers/bank/gradient_of_rows.h"

#include <tuple>

namespace negatron {

// Example: a is of all four rows and b of rows 1 and 3, so b's two vectors are added there. Were a of rows 0 and 3, the
// sum would be of rows 0, 1 and 3.
GradientOfRows sum_of(const GradientOfRows& a, const GradientOfRows& b) {
  if (!a.values.defined()) return b;
  if (!b.values.defined()) return a;
  if (a.is_of_all() && b.is_of_all()) return {{}, a.values + b.values};
  if (a.is_of_all()) return {{}, a.values.index_add(0, b.rows, b.values)};
  if (b.is_of_all()) return {{}, b.values.index_add(0, a.rows, a.values)};
  return summed_by_row(at::cat({a.rows, b.rows}), at::cat({a.values, b.values}));
}

GradientOfRows summed_by_row(const at::Tensor& rows, const at::Tensor& values) {
  const auto [distinct, inverse, unused] = at::_unique2(rows, /*sorted=*/true, /*return_inverse=*/true, false);
  return {distinct, at::zeros({distinct.size(0), values.size(1)}, values.options()).index_add_(0, inverse, values)};
}

at::Tensor of_all_rows(const GradientOfRows& gradient, std::int64_t count) {
  if (gradient.is_of_all()) return gradient.values;
  return at::zeros({count, gradient.values.size(1)}, gradient.values.options())
      .index_copy_(0, gradient.rows, gradient.values);
}

}  // namespace negatron
