#pragma once

#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// The keys of best_keys() (selection.h) at the price of a product in fp32: only rows whose fp32 score comes so near to
/// the m-th best that rounding may hide their place are scored exactly, in fp64. The error of a product is at most
/// (d + 8) 2^-24 |q|_1 max|n_i| (Higham, Accuracy and Stability of Numerical Algorithms, 3.1; the inequality of
/// Hoelder), so nothing is missed. An exact score is summed in an order of its own and depends on query and row only.
/// Beside the result it holds a tile of scores and, for each query, at most 4 m rows, or 512, of 8 bytes.
///
/// Serves fp32 queries and rows in fp32, bf16 or fp16, ranked by their scores alone, on the CPU; nothing is returned
/// for anything else, and when a number is not finite. Of checked candidates. Local.
std::optional<at::Tensor> screened_best_keys(const Rows& rows, const Candidates& candidates,
                                             const SelectionOrder& order, std::int64_t m);

}  // namespace negatron
