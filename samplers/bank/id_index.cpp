#include "samplers/bank/id_index.h"

#include <algorithm>

namespace negatron {

void IdIndex::insert(std::int64_t id, std::int64_t row) {
  if (id >= 0) rows_.emplace(id, row);
}

void IdIndex::erase(std::int64_t id, std::int64_t row) {
  // A sample may lie in the bank several times, once an epoch, so the row tells which of them goes. Ids below 0 were
  // never kept, and their range is empty.
  const auto [first, last] = rows_.equal_range(id);
  const auto entry = std::find_if(first, last, [row](const auto& pair) { return pair.second == row; });
  if (entry != last) rows_.erase(entry);
}

at::Tensor IdIndex::find(const at::Tensor& ids) const {
  const at::Tensor host = ids.to(at::kCPU, at::kLong).contiguous();
  const std::int64_t* id = host.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> pairs;
  for (std::int64_t query = 0; query < host.numel(); ++query) {
    if (id[query] < 0) continue;
    const auto [first, last] = rows_.equal_range(id[query]);
    for (auto entry = first; entry != last; ++entry) {
      pairs.push_back(query);
      pairs.push_back(entry->second);
    }
  }
  return at::tensor(pairs, at::kLong).view({-1, 2});
}

}  // namespace negatron
