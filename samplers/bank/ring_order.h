#pragma once

#include <cstdint>
#include <vector>

#include "comm/share.h"
#include "samplers/bank/bank_layout.h"

namespace negatron {

/// The keys of one rank that count, in the order in which they will be overwritten: position 0 is the oldest. The order
/// of a snapshot's rows. A value: later changes of the layout do not reach it. Local arithmetic.
class RingOrder {
 public:
  RingOrder(const BankLayout& layout, int rank);

  std::int64_t size() const noexcept { return runs_.empty() ? 0 : runs_.back().position + runs_.back().count; }
  /// The first position whose sequence number is `sequence` or later; size() when there is none.
  std::int64_t position_of(std::int64_t sequence) const;

  /// Some consecutive keys: their rows in the rank's grid are first_row + i * columns().
  struct Stretch {
    std::int64_t count = 0;
    std::int64_t sequence = 0;
    std::int64_t first_row = 0;
    std::int64_t step = 0;
  };
  /// Positions [positions.begin, positions.end), cut where the batch changes.
  std::vector<Stretch> stretches(Range positions) const;
  std::int64_t columns() const noexcept { return columns_; }

 private:
  struct Run {
    std::int64_t position = 0;
    std::int64_t count = 0;
    std::int64_t sequence = 0;
    std::int64_t first_row = 0;
    std::int64_t step = 0;
  };

  std::int64_t columns_;
  /// One for each batch of which this rank holds a key.
  std::vector<Run> runs_;
};

}  // namespace negatron
