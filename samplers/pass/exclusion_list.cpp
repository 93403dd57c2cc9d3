#include "samplers/pass/exclusion_list.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {
namespace {

constexpr std::int64_t kNone = -1;

}  // namespace

ExclusionList::ExclusionList(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows) {
  if (!pairs.defined()) return;
  const at::Tensor host = pairs.to(at::kCPU).contiguous();
  const std::int64_t* value = host.const_data_ptr<std::int64_t>();
  pairs_.reserve(static_cast<std::size_t>(host.size(0)));
  for (std::int64_t i = 0; i < host.size(0); ++i) {
    // Pairs name the query first, the list is by row: a tile has all queries of a block but few rows.
    const ExcludedPair pair{value[2 * i + 1], value[2 * i]};
    if (pair.query == kNone || pair.row == kNone) continue;
    // A pair out of range would be written beside the tile.
    if (pair.query < 0 || pair.query >= queries) throw std::invalid_argument("pass: an exclusion names no query");
    if (pair.row < 0 || pair.row >= rows) throw std::invalid_argument("pass: an exclusion names no row");
    pairs_.push_back(pair);
  }
  std::sort(pairs_.begin(), pairs_.end(), [](const ExcludedPair& a, const ExcludedPair& b) { return a.row < b.row; });
}

std::vector<std::int64_t> ExclusionList::positions(Range queries, Range rows) const {
  // For the queries [256, 512) and the rows [1024, 2048), the pair (query 258, row 1030) is element 2 * 1024 + 6.
  std::vector<std::int64_t> positions;
  for (const ExcludedPair& pair : of(rows)) {
    if (pair.query < queries.begin || pair.query >= queries.end) continue;
    positions.push_back((pair.query - queries.begin) * rows.size() + pair.row - rows.begin);
  }
  return positions;
}

std::span<const ExcludedPair> ExclusionList::of(Range rows) const {
  const auto from = [this](std::int64_t row) {
    return std::lower_bound(pairs_.begin(), pairs_.end(), row,
                            [](const ExcludedPair& pair, std::int64_t first) { return pair.row < first; });
  };
  return {from(rows.begin), from(rows.end)};
}

at::Tensor ExclusionList::count(std::int64_t queries) const {
  at::Tensor count = at::zeros({queries}, at::kLong);
  auto* counts = count.data_ptr<std::int64_t>();
  for (const ExcludedPair& pair : pairs_) ++counts[pair.query];
  return count;
}

}  // namespace negatron
