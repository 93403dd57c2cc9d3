#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace negatron {

/// A member of a query's hard set on this shard.
struct HardMember {
  std::int64_t offset = 0;  // position in its global batch
  std::int64_t slot = 0;
  std::int64_t row = 0;  // local
};

/// Two rows to mix.
struct RowPair {
  std::int64_t first = 0;
  std::int64_t second = 0;
};

/// The members of one query that came in batches of one size, and the ordered pairs of members at one position,
/// numbered by (position, slot of the first, slot of the second). Local.
///
/// Example, distinct: slots 5 and 7 at position 0, slots 2, 3 and 9 at position 4 make 2 + 6 pairs: (5, 7) (7, 5) and
/// (2, 3) (2, 9) (3, 2) (3, 9) (9, 2) (9, 3).
class PairNumbers {
 public:
  PairNumbers(std::vector<HardMember> members, bool distinct);

  std::int64_t members() const { return static_cast<std::int64_t>(members_.size()); }
  std::int64_t pairs() const { return pairs_up_to_.empty() ? 0 : pairs_up_to_.back(); }
  /// The row of member `number`, by (position, slot).
  std::int64_t row(std::int64_t number) const { return members_[static_cast<std::size_t>(number)].row; }
  /// The pair `number`, below pairs().
  RowPair pair(std::int64_t number) const;

 private:
  std::vector<HardMember> members_;
  bool distinct_;
  /// Of each position with members: where they begin, how many there are, and the pairs up to and with it.
  std::vector<std::int64_t> begins_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> pairs_up_to_;
};

}  // namespace negatron
