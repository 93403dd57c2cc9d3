#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"

namespace negatron {

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

struct PooledRows {
  Rows rows;
  Candidates candidates;
};

/// `rows`, of which only those of the pool may score, and the candidates' rules for them. Local.
PooledRows rows_of_pool(const Rows& rows, const Candidates& candidates, const RowPool& pool);

/// Of pairs (query, row) [M, 2] those whose row may score: exclusions must name candidates. Local.
at::Tensor pairs_of_valid_rows(const at::Tensor& pairs, const Rows& rows);

}  // namespace negatron
