#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Whether row `index` of rows [m, d], whose norm is `norm`, is a unit row: off by no more than its rounding explains,
/// which is one unit in the last place of its type, and room for a norm that was computed in fp32. Rows that were
/// rounded to a coarser type before (a bank may have been converted) are told by having no more digits than that type.
bool is_unit_row(const at::Tensor& rows, std::int64_t index, double norm);

/// vectors [m, d] of any floating dtype on the host -> [m] fp64: |row|; NaN where an element is not finite. Takes
/// kNormBytesPerElement d bytes per row meanwhile, as the next one does.
inline constexpr std::int64_t kNormBytesPerElement = 24;
at::Tensor row_norms(const at::Tensor& vectors);

/// [m, d] -> the unit rows of the same direction, [m, d] fp64. Rows of zeros give NaN. No overflow for any finite
/// element.
at::Tensor normalized_rows(const at::Tensor& vectors);

}  // namespace negatron
