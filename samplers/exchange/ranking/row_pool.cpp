#include "samplers/exchange/ranking/row_pool.h"

#include <limits>

#include "samplers/exchange/shard_candidates.h"

namespace negatron {
namespace {

constexpr double kMayNotScore = -std::numeric_limits<double>::infinity();

/// How many of each leaf's rows may score.
void count_valid(Rows& rows) {
  const at::Tensor counts = (rows.validity == 0.0).to(at::kLong).cumsum(0).to(at::kCPU).contiguous();
  const auto* until = counts.const_data_ptr<std::int64_t>();
  for (Leaf& leaf : rows.leaves) {
    const std::int64_t before = leaf.begin > 0 ? until[leaf.begin - 1] : 0;
    leaf.valid = leaf.size() > 0 ? until[leaf.end - 1] - before : 0;
  }
}

}  // namespace

ShardCandidates candidates_of_pool(const ShardCandidates& shard, const RowPool& pool) {
  ShardCandidates pooled = shard;
  const Rows& rows = shard.rows;
  const at::Tensor& exclusions = shard.candidates.exclusions;
  const at::Device device = rows.vectors.device();
  if (pool.score_factors.defined()) pooled.rows.order_factors = pool.score_factors.to(device);
  if (!pool.rows.defined()) return pooled;
  // Rows outside are masked like rows that were never filled, so passes and searches need not know of pools.
  const at::Tensor outside = pool.rows.to(device).logical_not();
  const at::Tensor validity = rows.validity.defined()
                                  ? rows.validity
                                  : at::zeros({outside.size(0)}, at::TensorOptions(at::kFloat).device(device));
  pooled.rows.validity = validity.masked_fill(outside, kMayNotScore);
  count_valid(pooled.rows);
  if (exclusions.defined()) pooled.candidates.exclusions = pairs_of_valid_rows(exclusions, pooled.rows);
  return pooled;
}

at::Tensor pairs_of_valid_rows(const at::Tensor& pairs, const Rows& rows) {
  if (!rows.validity.defined() || pairs.size(0) == 0) return pairs;
  const at::Tensor validity = rows.validity.to(at::kCPU).index_select(0, pairs.select(1, 1));
  return pairs.index_select(0, (validity == 0.0).nonzero().squeeze(1)).contiguous();
}

}  // namespace negatron
