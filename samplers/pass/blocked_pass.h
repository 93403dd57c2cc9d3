#pragma once

#include <cstdint>

#include "samplers/pass/pass.h"

namespace negatron {

/// The one pass over ATen, on any device: for each leaf of the rows and each block of queries a tile of scores by one
/// GEMM, what each term makes of it, and the weighted rows by a further GEMM a term. Linear log-sum-exps over all
/// candidates, which nearly every objective consists of, are computed in place: they hold one tile of scores,
/// `query_block` times the largest leaf, two when there are several. Other terms hold a few more. Leaves are merged in
/// the canonical tree, so the result is a function of queries, rows and leaves, not of who holds which leaf.
class BlockedPass : public Pass {
 public:
  /// 512 queries times a leaf of 1024 rows are 2 MiB in fp32: about the second-level cache of a core.
  static constexpr std::int64_t kDefaultQueryBlock = 512;

  /// Throws std::invalid_argument when `query_block` is below 1.
  explicit BlockedPass(std::int64_t query_block = kDefaultQueryBlock);

  std::int64_t query_block() const noexcept { return query_block_; }
  PassResult run(const Rows& rows, const PassRequest& request) const override;

 private:
  std::int64_t query_block_;
};

}  // namespace negatron
