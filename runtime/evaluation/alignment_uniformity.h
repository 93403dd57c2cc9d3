#pragma once

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron {

/// Collective. Mean of |x - y|^exponent over the positive pairs of all ranks (Wang and Isola 2020); lower is better.
/// x, y: [n, D] unit rows, row i of both is a pair, any n on any rank. NaN when there is no pair at all.
double alignment(Communicator& comm, const at::Tensor& x, const at::Tensor& y, double exponent = 2.0);

/// Collective. Log of the mean of exp(-t |x_i - x_j|^2) over unordered pairs i < j of the rows of all ranks (Wang and
/// Isola 2020); lower is better. NaN when all ranks together hold fewer than two rows.
///
/// x: [n, D] unit rows, any n on any rank. Computed as LSE_i(LSE_{j != i}(2t x_i.x_j)) - log(n(n-1)) - 2t, which does
/// not underflow, in fp64 from the scores on. Bytes: every row goes to every rank, so pass a bounded sample.
double uniformity(Communicator& comm, const at::Tensor& x, double t = 2.0);

}  // namespace negatron
