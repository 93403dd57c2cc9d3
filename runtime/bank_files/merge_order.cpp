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

// The result is a bank whose rows are as old as they were, so the oldest step comes first and is dropped first.
//
// Example: bank a holds a0 a1 a2 of step 10 and a3 a4 of step 12, bank b holds b0 b1 of step 10 and b2 b3 b4 of
// step 11. Sorted by step the pieces are a0 a1 a2 | b0 b1 | b2 b3 b4 | a3 a4. If at most 6 rows may stay, 4 are
// dropped: the first piece whole, and the second begins at b1. Keys 0 to 5 are b1 b2 b3 b4 a3 a4, and in batches of at
// most 2 keys they are b1 | b2 b3 | b4 | a3 a4: a batch has one step, so it ends where the step changes.
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
  if (count > 0) {
    pieces_.front().count -= count;
    pieces_.front().sequence += count;
  }
}

// Pieces follow one another without gaps, so their ends ascend and the first that reaches into `keys` is found by
// halving.
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
