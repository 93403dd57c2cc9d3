#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// The gradient of a loss by this rank's rows of the bank: by all of them, or by those that a step has met, which may
/// be few. The others have none.
struct GradientOfRows {
  /// [m] int64 local rows, ascending, each once, on the bank's device; undefined for all rows.
  at::Tensor rows;
  /// [m, d], or [n, d] of all rows.
  at::Tensor values;

  bool is_of_all() const { return values.defined() && !rows.defined(); }
};

/// a + b, either of which may be undefined; the values of one that is of all rows are used for it. Local.
GradientOfRows sum_of(GradientOfRows a, GradientOfRows b);

/// What `values` [m, d] of local rows `rows` [m] int64, any of which may be there several times, come to: each row
/// once, its values summed in their order. Local.
GradientOfRows summed_by_row(const at::Tensor& rows, const at::Tensor& values);

/// The same gradient as one by the rows that have any: those whose values are not all 0. Waits for a device. Local.
GradientOfRows of_met_rows(const GradientOfRows& gradient);

/// The same gradient as one by all `count` rows, [count, d], zeros where there is none. Local.
at::Tensor of_all_rows(const GradientOfRows& gradient, std::int64_t count);

}  // namespace negatron
