#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"

namespace negatron {

/// One global batch of keys as the layout remembers it.
struct BankBatch {
  /// Counted from 0; its column is number modulo columns.
  std::int64_t number = 0;
  /// Sequence number of its first key.
  std::int64_t start = 0;
  std::int64_t size = 0;
  /// The training step that wrote it; -1 for the fill at start-up.
  std::int64_t step = 0;
  std::int64_t end() const noexcept { return start + size; }
};

/// Where a slot's row lies.
struct BankPlace {
  int rank = 0;
  std::int64_t row = 0;
};

/// The same for many slots: int64 each, -1 where the slot is below 0 or was not written yet.
struct BankPlaces {
  at::Tensor ranks;
  at::Tensor rows;
};

/// Which batch a slot's key came in, which no number of ranks changes.
struct BankOrigin {
  std::int64_t batch_size = 0;
  /// Position in the global batch.
  std::int64_t offset = 0;
};

/// All that a BankLayout remembers beside the number of ranks, which it does not depend on: what a snapshot keeps.
struct BankLayoutState {
  /// K
  std::int64_t capacity = 0;
  std::int64_t columns = 0;
  std::int64_t height = 0;
  std::int64_t head = 0;
  std::int64_t next_number = 0;
  std::vector<BankBatch> batches;
};

/// Whether it is the layout of rows that stay: one batch of K keys in one column, which are keys 0 to K - 1. Slot s is
/// then row s - begin of the rank whose share() of the K it is in. Local.
bool is_table(const BankLayoutState& state);

/// Which rank owns which slot of the bank, and where: arithmetic that every rank does for itself, no communication.
/// Everything here is replicated: equal on all ranks that appended the same batch sizes.
///
/// Keys are numbered 0, 1, 2, ... over all ranks (sequence numbers); a batch of n keys takes n numbers in rank order,
/// split by share(). The global slot of key number s is s modulo K, and the keys that count are the last K: exactly
/// the contents of a single-device FIFO of K rows, for any K, batch sizes and number of ranks (BANK.md 1).
///
/// A rank keeps its keys where they were made, in a grid of offsets (position in its share of the batch) times columns
/// (one per batch), offset-major: row = offset * columns + column. Rows of expired keys stay in the grid as holes until
/// their column is used again. Example: K = 6, batches of 4, 2 ranks, 2 columns. After three batches the keys 6..11
/// count; rank 1 was given keys 2, 3 | 6, 7 | 10, 11 in columns 0 | 1 | 0, so its rows are 10, 6, 11, 7, and key 6 is
/// slot 0.
class BankLayout {
 public:
  /// Throws std::invalid_argument when a count is below 1.
  BankLayout(std::int64_t capacity, int ranks, std::int64_t expected_batch);
  /// The layout that gave this state, over `ranks` ranks. Throws std::invalid_argument when the state contradicts
  /// itself.
  BankLayout(const BankLayoutState& state, int ranks);
  BankLayoutState state() const;

  /// Takes the next batch of `size` keys into account. May add columns or offsets to the grid: rows then move.
  void append(std::int64_t size, std::int64_t step);

  std::int64_t capacity() const noexcept { return capacity_; }
  int ranks() const noexcept { return ranks_; }
  /// Keys appended so far.
  std::int64_t head() const noexcept { return head_; }
  /// The oldest sequence number that counts when `head` keys were appended.
  std::int64_t floor_at(std::int64_t head) const noexcept { return head > capacity_ ? head - capacity_ : 0; }
  std::int64_t floor() const noexcept { return floor_at(head_); }
  std::int64_t filled() const noexcept { return head_ - floor(); }
  /// Batches with at least one key that counts, oldest first.
  const std::deque<BankBatch>& batches() const noexcept { return batches_; }

  /// The grid over all ranks.
  std::int64_t columns() const noexcept { return columns_; }
  std::int64_t height() const noexcept { return height_; }
  std::int64_t column_of(const BankBatch& batch) const noexcept { return batch.number % columns_; }
  std::int64_t local_rows(int rank) const { return share(height_, ranks_, rank).size() * columns_; }
  /// Where the keys of `rank` with sequence numbers in `sequence` lie, those of one batch together, oldest first.
  std::vector<std::int64_t> rows_of(int rank, Range sequence) const;

  /// The batch that wrote the slot last; null when it was not written yet. Throws std::invalid_argument for a slot
  /// outside [0, K).
  const BankBatch* batch_of(std::int64_t slot) const;
  /// Nothing when the slot was not written yet. Throws std::invalid_argument for a slot outside [0, K).
  std::optional<BankPlace> place_of(std::int64_t slot) const;
  /// slots [...] int64 -> places [...] on the device of the slots. Throws std::invalid_argument for a slot of K or
  /// more.
  BankPlaces places_of(const at::Tensor& slots) const;
  /// As place_of.
  std::optional<BankOrigin> origin_of(std::int64_t slot) const;

  /// Mean of step - (step of writing) over keys that count and were not part of the fill at start-up; 0 without any.
  double mean_age(std::int64_t step) const;

 private:
  /// The sequence number of a slot that was written.
  std::int64_t sequence_of(std::int64_t slot) const { return head_ - 1 - (head_ - 1 - slot) % capacity_; }

  std::int64_t capacity_;
  int ranks_;
  std::int64_t height_;
  std::int64_t columns_;
  std::int64_t head_ = 0;
  std::int64_t next_number_ = 0;
  std::deque<BankBatch> batches_;
};

}  // namespace negatron
