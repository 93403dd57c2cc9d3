#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"

namespace negatron {

struct ShardCandidates;

/// A part of the bank by row, such as the rows of one modality, and what its scores count when rows are ranked.
struct RowPool {
  /// [n] bool, which of this rank's rows are in it; undefined for all.
  at::Tensor rows;
  /// [n] fp64 above 0, as Rows::order_factors; undefined for none.
  at::Tensor score_factors;

  bool is_limited() const { return rows.defined() || score_factors.defined(); }
};

/// The `hard` best rows of a pool.
struct HardPool {
  RowPool rows;
  std::int64_t hard = 0;
};

/// Of a shard's rows only those of the pool, and the queries' rules for them. Local.
ShardCandidates candidates_of_pool(const ShardCandidates& shard, const RowPool& pool);

/// Of pairs (query, row) [M, 2] those whose row may score: exclusions must name candidates. Local.
at::Tensor pairs_of_valid_rows(const at::Tensor& pairs, const Rows& rows);

}  // namespace negatron
