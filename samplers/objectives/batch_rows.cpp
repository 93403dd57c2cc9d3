#include "samplers/objectives/batch_rows.h"

#include "samplers/bank/canonical_leaves.h"

namespace negatron {

Rows batch_rows(const at::Tensor& vectors) {
  const std::int64_t count = vectors.size(0);
  return {vectors, at::Tensor(), canonical_leaves(count, 1, {0, count})};
}

at::Tensor consecutive_exclusions(std::int64_t count, const std::vector<std::int64_t>& first) {
  const at::Tensor query = at::arange(count, at::kLong);
  std::vector<at::Tensor> pairs;
  for (const std::int64_t row : first) pairs.push_back(at::stack({query, query + row}, 1));
  return at::cat(pairs);
}

}  // namespace negatron
