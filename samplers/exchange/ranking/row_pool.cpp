#include "samplers/exchange/ranking/row_pool.h"

#include "samplers/pass/score_term.h"

namespace negatron {
namespace {

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

PooledRows rows_of_pool(const Rows& rows, const Candidates& candidates, const RowPool& pool) {
  PooledRows pooled{rows, candidates};
  const at::Device device = rows.vectors.device();
  if (pool.score_factors.defined()) pooled.rows.order_factors = pool.score_factors.to(device);
  if (!pool.rows.defined()) return pooled;
  const at::Tensor outside = pool.rows.to(device).logical_not();
  const at::Tensor validity = rows.validity.defined()
                                  ? rows.validity
                                  : at::zeros({outside.size(0)}, at::TensorOptions(at::kFloat).device(device));
  pooled.rows.validity = validity.masked_fill(outside, kMasked);
  count_valid(pooled.rows);
  if (candidates.exclusions.defined()) {
    pooled.candidates.exclusions = pairs_of_valid_rows(candidates.exclusions, pooled.rows);
  }
  return pooled;
}

at::Tensor pairs_of_valid_rows(const at::Tensor& pairs, const Rows& rows) {
  if (!rows.validity.defined() || pairs.size(0) == 0) return pairs;
  const at::Tensor validity = rows.validity.to(at::kCPU).index_select(0, pairs.select(1, 1));
  return pairs.index_select(0, (validity == 0.0).nonzero().squeeze(1)).contiguous();
}

}  // namespace negatron
