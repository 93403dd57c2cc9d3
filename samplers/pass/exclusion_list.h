#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"

namespace negatron {

/// The excluded (query, row) pairs of a pass, ordered so that a tile finds its own. Local.
class ExclusionList {
 public:
  /// pairs [M, 2] int64 on the host, or undefined for none. Throws std::invalid_argument when a pair names no query of
  /// `queries` or no row of `rows`.
  ExclusionList(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows);

  /// Which elements of a tile [queries.size(), rows.size()] are excluded, counted row-major.
  std::vector<std::int64_t> positions(Range queries, Range rows) const;

 private:
  struct Pair {
    std::int64_t row = 0;
    std::int64_t query = 0;
  };
  std::vector<Pair> pairs_;
};

}  // namespace negatron
