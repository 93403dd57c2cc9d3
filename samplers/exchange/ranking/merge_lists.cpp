#include "samplers/exchange/ranking/merge_lists.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "samplers/cpu/task_threads.h"

namespace negatron {
namespace {

/// Of one query: `from` holds lists of `length`, the last perhaps shorter, which are merged in pairs until one is left.
void merge_pairs(std::vector<std::int64_t>& from, std::vector<std::int64_t>& spare, std::size_t length) {
  // Three lists of 4: the first two merge into one of 8 and the third is copied, then those two merge.
  for (; length < from.size(); length *= 2) {
    const auto place = [&](std::size_t at) {
      return from.begin() + static_cast<std::ptrdiff_t>(std::min(at, from.size()));
    };
    auto to = spare.begin();
    for (std::size_t begin = 0; begin < from.size(); begin += 2 * length) {
      to = std::merge(place(begin), place(begin + length), place(begin + length), place(begin + 2 * length), to);
    }
    std::swap(from, spare);
  }
}

}  // namespace

at::Tensor merge_lists(const at::Tensor& lists) {
  const std::int64_t shards = lists.size(0);
  const std::int64_t queries = lists.size(1);
  const std::int64_t length = lists.size(2);
  const at::Tensor joined = lists.transpose(0, 1).reshape({queries, shards * length}).contiguous();
  if (shards == 1) return joined;
  if (!joined.is_cpu()) return std::get<0>(joined.sort(1));
  const at::Tensor merged = at::empty_like(joined);
  const auto* from = joined.const_data_ptr<std::int64_t>();
  auto* to = merged.mutable_data_ptr<std::int64_t>();
  share_out(queries, [&](std::int64_t query) {
    const std::int64_t* own = from + query * joined.size(1);
    std::vector<std::int64_t> keys(own, own + joined.size(1));
    std::vector<std::int64_t> spare(keys.size());
    merge_pairs(keys, spare, static_cast<std::size_t>(length));
    std::copy(keys.begin(), keys.end(), to + query * joined.size(1));
  });
  return merged;
}

}  // namespace negatron
