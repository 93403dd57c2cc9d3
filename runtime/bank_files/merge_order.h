#pragma once

#include <cstdint>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// Which row of which bank is which key of a merged one.
class MergeOrder {
 public:
  /// Consecutive rows of one bank that one step wrote: keys [begin, begin + count) of the result.
  struct Piece {
    std::int64_t begin = 0;
    std::int64_t count = 0;
    std::int64_t step = 0;
    std::size_t bank = 0;
    /// Of its first row in that bank.
    std::int64_t sequence = 0;
  };

  /// `left_out[bank][i]`: the i-th oldest row of that bank does not count. Of the others the newest `most` do.
  MergeOrder(const std::vector<OpenBank>& banks, const std::vector<std::vector<bool>>& left_out, std::int64_t most);

  std::int64_t rows() const noexcept { return pieces_.empty() ? 0 : pieces_.back().begin + pieces_.back().count; }
  std::int64_t dropped() const noexcept { return dropped_; }
  const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  /// The pieces, cut, that make up these keys.
  std::vector<Piece> pieces_of(Range keys) const;
  /// As batches of at most `height` keys, numbered from 0.
  std::vector<BankBatch> batches(std::int64_t height) const;

 private:
  void drop_oldest(std::int64_t count);

  std::vector<Piece> pieces_;
  std::int64_t dropped_ = 0;
};

}  // namespace negatron
