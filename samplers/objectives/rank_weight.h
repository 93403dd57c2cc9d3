#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// WARP (LOSSES.md 13): how much a positive weighs that this many negatives outrank. ranks [...] at least 0, any
/// floating dtype, rounded to whole numbers -> [...] of that dtype, without gradient. Elementwise. Local.

/// L(r) = 1 + 1/2 + ... + 1/r, 0 at 0: of the paper.
at::Tensor harmonic_rank_weight(const at::Tensor& ranks);
/// log(max(1, r)), at most 10: of LightFM.
at::Tensor log_rank_weight(const at::Tensor& ranks);

}  // namespace negatron
