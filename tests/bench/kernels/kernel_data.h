#pragma once

#include <algorithm>
#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/rows.h"

namespace negatron::bench {

// The usual step of the tables in tests/bench/SPEED.md.
inline constexpr std::int64_t kWidth = 128;
inline constexpr std::int64_t kBatch = 256;
inline constexpr std::int64_t kBankRows = 65536;
inline constexpr double kTau = 0.2;

/// [batch, kWidth] fp32
inline at::Tensor random_queries(std::int64_t batch) {
  return random_unit_rows(1, 0, batch, kWidth).to(at::kFloat);
}

/// Rows are drawn up to this number; drawing millions takes minutes.
inline constexpr std::int64_t kDistinctRows = 262144;

/// Rows in the slots 0, 1, ... of a bank of one rank. Larger banks repeat the first kDistinctRows: good for a pass,
/// whose work on a row does not depend on its numbers, but not for what ranks rows. `count` is a multiple of
/// kDistinctRows or below it.
inline Rows random_rows(std::int64_t count, at::ScalarType dtype) {
  static const at::Tensor drawn = random_unit_rows(2, 0, kDistinctRows, kWidth).to(at::kFloat);
  Rows rows;
  rows.vectors = drawn.narrow(0, 0, std::min(count, kDistinctRows)).to(dtype);
  if (count > kDistinctRows) rows.vectors = rows.vectors.repeat({count / kDistinctRows, 1});
  rows.slots = at::arange(count, at::kLong);
  rows.leaves = canonical_leaves(count, 1, {0, count});
  return rows;
}

}  // namespace negatron::bench
