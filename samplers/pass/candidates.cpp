#include "samplers/pass/candidates.h"

#include <vector>

namespace negatron {

Candidates select_queries(const Candidates& all, const at::Tensor& index) {
  Candidates some = all;
  const auto select = [&](at::Tensor& values) {
    if (values.defined()) values = values.index_select(0, index);
  };
  select(some.queries);
  select(some.keys);
  select(some.query_index);
  select(some.labels);
  for (std::vector<SelectionWindow>* windows : {&some.windows, &some.positive_windows}) {
    for (SelectionWindow& window : *windows) {
      select(window.first);
      select(window.last);
    }
  }
  if (some.exclusions.defined()) {
    const std::int64_t queries = all.queries.size(0);
    // Of each query in the selection; the last is that of pairs that exclude nothing.
    // Example: of 4 queries 1 and 3 are selected, so position is -1, 0, -1, 1, and -1 for the place behind the last.
    // The pairs (1, 7), (2, 7), (3, 9), (-1, -1) become (0, 7), (1, 9).
    const at::Tensor position = at::full({queries + 1}, -1, at::kLong);
    position.index_copy_(0, index.to(at::kCPU), at::arange(index.size(0), at::kLong));
    const at::Tensor pairs = all.exclusions.to(at::kCPU);
    const at::Tensor asked = pairs.select(1, 0);
    const at::Tensor query = position.index_select(0, asked.masked_fill(asked < 0, queries));
    const at::Tensor kept = (query >= 0).nonzero().squeeze(1);
    some.exclusions =
        at::stack({query.index_select(0, kept), pairs.select(1, 1).index_select(0, kept)}, 1).contiguous();
  }
  return some;
}

}  // namespace negatron
