#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// What of learned raw rows w [n, d] scores: n = w / |w| [n, d], so that scores are cosines. A row of length 0 is a
/// row of zeros. Local.
at::Tensor scored_rows(const at::Tensor& raw);

/// A gradient by the scored rows [n, d] as one by the raw rows [n, d]: (g - (g . n) n) / |w|, the part that turns the
/// row, by less for a longer one. Local.
at::Tensor by_raw_rows(const at::Tensor& gradient, const at::Tensor& raw);

}  // namespace negatron
