#include "runtime/bank_files/row_norms.h"

#include <cmath>
#include <limits>

namespace negatron {

bool is_unit_row(const at::Tensor& rows, std::int64_t index, double norm) {
  constexpr double kHalfEpsilon = 0x1p-10;
  constexpr double kBrainEpsilon = 0x1p-7;
  // fp64 rows too: most are made by fp32 encoders.
  constexpr double kComputedInSingle = 1e-5;
  const double off = std::abs(norm - 1.0);
  if (off <= kComputedInSingle) return true;
  // A bf16 bank that was converted to fp32 is off by bf16's rounding. It is told by its elements: rounding them to bf16
  // and back changes none. Rows that fp32 made have more digits, and must be of norm 1 more closely.
  const at::Tensor row = rows[index];
  const auto has_digits_of = [&](at::ScalarType dtype) { return at::equal(row.to(dtype).to(row.scalar_type()), row); };
  return (off <= kHalfEpsilon && has_digits_of(at::kHalf)) || (off <= kBrainEpsilon && has_digits_of(at::kBFloat16));
}

at::Tensor row_norms(const at::Tensor& vectors) {
  const at::Tensor real = vectors.to(at::kDouble);
  const at::Tensor largest = real.abs().amax(1);  // [m]; NaN travels through
  // Squares of fp64 overflow beyond 1e154. Example: (3e200, 4e200) is divided by 4e200 to (0.75, 1), of norm 1.25, and
  // so has norm 5e200. A row of zeros is divided by 1.
  const at::Tensor scale = at::where(largest > 0.0, largest, 1.0);
  at::Tensor norms = real.div(scale.unsqueeze(1)).norm(2, 1).mul(scale);
  return norms.masked_fill_(at::isfinite(largest).logical_not_(), std::numeric_limits<double>::quiet_NaN());
}

at::Tensor normalized_rows(const at::Tensor& vectors) {
  const at::Tensor real = vectors.to(at::kDouble);
  const at::Tensor scaled = real.div(real.abs().amax(1, /*keepdim=*/true));
  return scaled.div(scaled.norm(2, 1).unsqueeze(1));
}

}  // namespace negatron
