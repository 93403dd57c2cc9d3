#pragma once

#include <ATen/ATen.h>

#include "samplers/bank/row_length.h"

namespace negatron {

/// What of rows that learn, w [n, d], scores: n = w / |w| [n, d], so that scores are cosines, where a row of length 0
/// is a row of zeros; or, where rows have any length, w itself, so that scores are inner products. Local.
at::Tensor scored_rows(const at::Tensor& raw, RowLength length = RowLength::kUnit);

/// A gradient by the scored rows [n, d] as one by the raw rows [n, d], in a tensor of its own: (g - (g . n) n) / |w|,
/// the part that turns the row, by less for a longer one; or g. Local.
at::Tensor by_raw_rows(const at::Tensor& gradient, const at::Tensor& raw, RowLength length = RowLength::kUnit);

}  // namespace negatron
