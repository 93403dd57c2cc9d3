#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"

namespace negatron {

/// The excluded (query, row) pairs of a pass, ordered so that a tile finds its own. Local.
class ExclusionList {
 public:
  /// pairs [M, 2] int64 on the host, or undefined for none.
  explicit ExclusionList(const at::Tensor& pairs);

  /// scores [queries.size(), rows.size()]: sets those of the excluded pairs inside the tile to -infinity.
  void mask(at::Tensor& scores, Range queries, Range rows) const;
  /// [count] int64 on the host: how many pairs each query has.
  at::Tensor count(std::int64_t queries) const;

 private:
  struct Pair {
    std::int64_t row = 0;
    std::int64_t query = 0;
  };
  std::vector<Pair> pairs_;
};

}  // namespace negatron
