#include "samplers/bank/gradient_of_rows.h"

#include <tuple>
#include <utility>

#include "samplers/bank/equal_numbers.h"
#include "samplers/bank/row_sums.h"

namespace negatron {

// Example: a is of all four rows and b of rows 1 and 3, so b's two vectors are added there. Were a of rows 0 and 3, the
// sum would be of rows 0, 1 and 3.
GradientOfRows sum_of(GradientOfRows a, GradientOfRows b) {
  if (!a.values.defined()) return b;
  if (!b.values.defined()) return a;
  if (b.is_of_all()) std::swap(a, b);
  if (a.is_of_all()) {
    if (b.is_of_all()) {
      a.values.add_(b.values);
    } else {
      a.values.index_add_(0, b.rows, b.values);
    }
    return a;
  }
  return summed_by_row(at::cat({a.rows, b.rows}), at::cat({a.values, b.values}));
}

GradientOfRows summed_by_row(const at::Tensor& rows, const at::Tensor& values) {
  if (rows.is_cpu()) {
    const at::Tensor numbers = rows.contiguous();
    EqualNumbers equal = find_equal(numbers.const_data_ptr<std::int64_t>(), numbers.numel());
    const at::Tensor distinct = at::tensor(equal.values, at::kLong);
    const at::Tensor none = values.narrow(0, 0, 0);
    return {distinct, sum_stacked({values, none}, {std::move(equal.begins), std::move(equal.positions)})};
  }
  const auto [distinct, inverse, unused] = at::_unique2(rows, /*sorted=*/true, /*return_inverse=*/true, false);
  const at::Tensor sums = at::zeros({distinct.size(0), values.size(1)}, values.options());
  add_in_order(sums, inverse, values);
  return {distinct, sums};
}

GradientOfRows of_met_rows(const GradientOfRows& gradient) {
  const at::Tensor met = gradient.values.ne(0).any(1).nonzero().squeeze(1);
  if (gradient.rows.defined() && met.size(0) == gradient.rows.size(0)) return gradient;
  return {gradient.is_of_all() ? met : gradient.rows.index_select(0, met), gradient.values.index_select(0, met)};
}

at::Tensor of_all_rows(const GradientOfRows& gradient, std::int64_t count) {
  if (gradient.is_of_all()) return gradient.values;
  return at::zeros({count, gradient.values.size(1)}, gradient.values.options())
      .index_copy_(0, gradient.rows, gradient.values);
}

}  // namespace negatron
