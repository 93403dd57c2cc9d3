#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// The m best candidates of each query in `order` (Pass::best()), by exact scores of all of them, in any dtype and on
/// any device: keys [Q, m] int64 ascending, kAfterAllKeys where a query has fewer. Beside the result it holds a tile of
/// scores. Local.
at::Tensor exhaustive_best_keys(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                                std::int64_t m);

/// The checks that a search for the m best starts with. Throws std::invalid_argument when a tensor that a rule or the
/// order needs is missing, a shape or dtype is wrong, or m is negative.
void check_selection(const Rows& rows, const Candidates& candidates, const SelectionOrder& order, std::int64_t m);

/// Keys of variable number per query.
struct RaggedKeys {
  at::Tensor keys;    // [sum(counts)] int64, those of query 0 first, ascending within a query
  at::Tensor counts;  // [Q] int64
};

/// All candidates of each query with first <= key < last; first, last [Q] int64. Local.
RaggedKeys keys_between(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                        const at::Tensor& first, const at::Tensor& last);

/// How many candidates of each query have which next digit: digit `level` (0 is the most significant byte of the key,
/// taken as unsigned with kBeforeAllKeys = 0) among the keys whose more significant digits equal those of prefix [Q,
/// T], for T prefixes per query: int64 keys of which only those more significant digits matter. [Q, T, 256] int32. One
/// sweep whatever T. Local.
at::Tensor digit_histogram(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                           const at::Tensor& prefix, int level);

}  // namespace negatron
