#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// Whether screened_best_keys() serves this: fp32 queries and rows in fp32, bf16 or fp16, all finite, on the CPU,
/// ranked by their scores alone. Of checked candidates. Local.
bool screening_serves(const Rows& rows, const Candidates& candidates, const SelectionOrder& order);

/// The keys of best_keys() (selection.h) at the price of a product in fp32: only rows whose fp32 score comes so near to
/// the m-th best that rounding may hide their place are scored exactly, in fp64. The error of a product is bounded by
/// (d + 8) 2^-24 |q| |n| (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), so nothing is missed. An exact
/// score is summed in an order of its own and depends on query and row only. Beside the result it holds a tile of
/// scores and, for each query, about 4 m rows or 4096. Local.
at::Tensor screened_best_keys(const Rows& rows, const Candidates& candidates, std::int64_t m);

}  // namespace negatron
