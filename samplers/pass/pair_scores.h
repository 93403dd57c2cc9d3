#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// The scores [n] fp32 of n pairs: row `row[i]` of rows [m, d], of any floating dtype, with vector `vector[i]` of
/// vectors [Q, d], fp32 or fp64; row, vector [n] int64. In fp64, rounded, as all scores that decide. On the host a pair
/// has the same bits whatever the others are. Local.
at::Tensor pair_scores(const at::Tensor& rows, const at::Tensor& row, const at::Tensor& vectors,
                       const at::Tensor& vector);

}  // namespace negatron
