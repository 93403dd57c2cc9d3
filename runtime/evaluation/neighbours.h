#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Candidates of each query: scores and the global rows that they belong to. A row index of kNoRow with score -inf says
/// that there is no candidate in this place.
struct Neighbours {
  at::Tensor scores;  // [Q, M]
  at::Tensor rows;    // [Q, M] int64
};

inline constexpr std::int64_t kNoRow = INT64_MAX;

/// The (at most) k best candidates of each query, equal scores by lower row; in no particular order. Local.
Neighbours keep_best(const Neighbours& candidates, std::int64_t k);

/// The same, ordered: best score first, equal scores by lower row.
Neighbours keep_best_sorted(const Neighbours& candidates, std::int64_t k);

/// The k rows of `shard` [n, D] most similar to each query [Q, D], numbered from `first_row`; always k columns, missing
/// ones filled with kNoRow. Holds one tile of scores at a time. Local.
Neighbours nearest_rows(const at::Tensor& queries, const at::Tensor& shard, std::int64_t first_row, std::int64_t k);

}  // namespace negatron
