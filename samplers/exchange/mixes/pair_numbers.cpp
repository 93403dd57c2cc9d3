#include "samplers/exchange/mixes/pair_numbers.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace negatron {

PairNumbers::PairNumbers(std::vector<HardMember> members, bool distinct)
    : members_(std::move(members)), distinct_(distinct) {
  std::sort(members_.begin(), members_.end(), [](const HardMember& a, const HardMember& b) {
    return std::tie(a.offset, a.slot) < std::tie(b.offset, b.slot);
  });
  for (std::size_t begin = 0; begin < members_.size();) {
    std::size_t end = begin;
    while (end < members_.size() && members_[end].offset == members_[begin].offset) ++end;
    const auto size = static_cast<std::int64_t>(end - begin);
    const std::int64_t before = pairs();
    begins_.push_back(static_cast<std::int64_t>(begin));
    sizes_.push_back(size);
    pairs_up_to_.push_back(before + size * (distinct_ ? size - 1 : size));
    begin = end;
  }
}

RowPair PairNumbers::pair(std::int64_t number) const {
  // In the header's example pairs_up_to_ is 2, 8. Number 5 is beyond 2, so it is at the second position, as number 3
  // there. A first has two seconds, so first = 1, second = 1, which is moved past the first to 2: slots (3, 9).
  const auto position = static_cast<std::size_t>(std::upper_bound(pairs_up_to_.begin(), pairs_up_to_.end(), number) -
                                                 pairs_up_to_.begin());
  const std::int64_t rest = number - (position == 0 ? 0 : pairs_up_to_[position - 1]);
  const std::int64_t seconds = distinct_ ? sizes_[position] - 1 : sizes_[position];
  const std::int64_t first = rest / seconds;
  std::int64_t second = rest % seconds;
  if (distinct_ && second >= first) ++second;
  return {row(begins_[position] + first), row(begins_[position] + second)};
}

}  // namespace negatron
