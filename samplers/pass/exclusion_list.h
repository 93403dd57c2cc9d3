#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "samplers/pass/excluded_pair.h"

namespace negatron {

/// The excluded (query, row) pairs of a pass, ordered so that a tile finds its own. Local.
class ExclusionList {
 public:
  /// pairs [M, 2] int64, or undefined for none; those with a -1 are left out. Throws std::invalid_argument when another
  /// names no query of `queries` or no row of `rows`. Waits for the device where they lie on one.
  ExclusionList(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows);

  /// Which elements of a tile [queries.size(), rows.size()] are excluded, counted row-major.
  std::vector<std::int64_t> positions(Range queries, Range rows) const;

  /// The pairs of some rows, ordered by row.
  std::span<const ExcludedPair> of(Range rows) const;
  /// [queries] int64, how many pairs each query is in.
  at::Tensor count(std::int64_t queries) const;

 private:
  std::vector<ExcludedPair> pairs_;
};

}  // namespace negatron
