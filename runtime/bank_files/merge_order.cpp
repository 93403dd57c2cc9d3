#include "runtime/bank_files/merge_order.h"

#include <algorithm>

namespace negatron {
namespace {

/// The rows of one bank that count, cut where the batch changes or where one is left out.
void add_pieces(const BankLayout& layout, std::size_t bank, const std::vector<bool>& left_out,
                std::vector<MergeOrder::Piece>& pieces) {
  for (const BankBatch& batch : layout.batches()) {
    bool open = false;
    for (std::int64_t sequence = std::max(batch.start, layout.floor()); sequence < batch.end(); ++sequence) {
      if (left_out[static_cast<std::size_t>(sequence - layout.floor())]) {
        open = false;
      } else if (open) {
        ++pieces.back().count;
      } else {
        pieces.push_back({0, 1, batch.step, bank, sequence});
        open = true;
      }
    }
  }
}

}  // namespace

// Example: a run with batches of 4 and K = 6 wrote keys 0-3 at step 1, 4-7 at step 2 and 8-11 at step 3. Bank A was
// saved after step 2 and holds keys 2 to 7, bank B after step 3 and holds 6 to 11. Keys 6 and 7 of B are A's once more
// and are left out. Pieces, by step:
//   step  bank  sequence  count     keys of the result     of the newest 7
//    1     A       2        2             0, 1                 (dropped)
//    2     A       4        4             2 to 5           A from 5: 0 to 2
//    3     B       8        4             6 to 9           B from 8: 3 to 6
// With at most 7 rows 3 of the 10 are dropped: the first piece, and one row of the second. In the order B, A the
// duplicates would be A's, and step 2 would come out as keys 6, 7, 4, 5: hence by_reach in merge_banks.cpp.
MergeOrder::MergeOrder(const std::vector<OpenBank>& banks, const std::vector<std::vector<bool>>& left_out,
                       std::int64_t most) {
  for (std::size_t bank = 0; bank < banks.size(); ++bank) {
    add_pieces(banks[bank].layout(), bank, left_out[bank], pieces_);
  }
  // Stable: rows of one step stay in the order of the banks, and of each bank in its own.
  std::stable_sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) { return a.step < b.step; });
  std::int64_t all = 0;
  for (const Piece& piece : pieces_) all += piece.count;
  drop_oldest(std::max<std::int64_t>(0, all - most));
  std::int64_t begin = 0;
  for (Piece& piece : pieces_) {
    piece.begin = begin;
    begin += piece.count;
  }
}

void MergeOrder::drop_oldest(std::int64_t count) {
  dropped_ = count;
  auto first = pieces_.begin();
  while (first != pieces_.end() && first->count <= count) count -= (first++)->count;
  pieces_.erase(pieces_.begin(), first);
  // What is left of `count` is less than what the first piece holds: it loses its oldest rows and stays.
  if (count > 0) {
    pieces_.front().count -= count;
    pieces_.front().sequence += count;
  }
}

std::vector<MergeOrder::Piece> MergeOrder::pieces_of(Range keys) const {
  auto piece = std::partition_point(pieces_.begin(), pieces_.end(),
                                    [&](const Piece& one) { return one.begin + one.count <= keys.begin; });
  std::vector<Piece> result;
  for (; piece != pieces_.end() && piece->begin < keys.end; ++piece) {
    const std::int64_t begin = std::max(keys.begin, piece->begin);
    const std::int64_t end = std::min(keys.end, piece->begin + piece->count);
    result.push_back({begin, end - begin, piece->step, piece->bank, piece->sequence + begin - piece->begin});
  }
  return result;
}

// Pieces of one step share batches, whichever banks they come from; a batch never holds two steps, because a layout
// remembers one step for each. The example above with height 4: sizes 2, 4 and 4, or 3 and 4 for the newest 7.
std::vector<BankBatch> MergeOrder::batches(std::int64_t height) const {
  std::vector<BankBatch> batches;
  for (const Piece& piece : pieces_) {
    for (std::int64_t left = piece.count; left > 0;) {
      if (batches.empty() || batches.back().step != piece.step || batches.back().size == height) {
        const auto number = static_cast<std::int64_t>(batches.size());
        const std::int64_t start = batches.empty() ? 0 : batches.back().end();
        batches.push_back({number, start, 0, piece.step});
      }
      const std::int64_t taken = std::min(left, height - batches.back().size);
      batches.back().size += taken;
      left -= taken;
    }
  }
  return batches;
}

}  // namespace negatron
