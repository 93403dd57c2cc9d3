#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include <ATen/ATen.h>

#include "samplers/bank/bank_layout.h"
#include "samplers/bank/bank_shard.h"
#include "samplers/bank/ring_order.h"

namespace negatron {

/// Some keys of the bank in ring order, contiguous on the host.
struct BankBlock {
  at::Tensor vectors;   // [m, d], as the bank stores them
  at::Tensor ids;       // [m] int64
  at::Tensor labels;    // [m] int64
  at::Tensor steps;     // [m] int64
  at::Tensor sequence;  // [m] int64, ascending
};

/// One rank's rows as they were when the copy began, handed out block by block, oldest first, while the bank goes on.
/// One thread calls `next`; the thread of the bank calls `set_aside` (Bank does) before it overwrites. What is in
/// memory at any time is one block and the rows that were overwritten before their turn. Local.
class BankCopy {
 public:
  BankCopy(const BankShard& shard, const BankLayout& layout, int rank);

  /// n, over the whole copy.
  std::int64_t rows() const noexcept { return order_.size(); }
  const BankLayout& layout() const noexcept { return layout_; }
  /// The next `count` rows. Throws std::out_of_range when fewer are left. From another thread than the bank's, rows on
  /// a GPU are read on the device's default stream.
  BankBlock next(std::int64_t count);

  /// Keys with sequence numbers below `floor` may be overwritten from now on.
  void set_aside(std::int64_t floor);
  /// Rows set aside that `next` has not handed out yet.
  std::int64_t rows_set_aside() const;

 private:
  /// The rows of these positions go to those of `into` from `begin` on.
  void read(Range positions, const BankBlock& into, std::int64_t begin) const;

  BankLayout layout_;
  RingOrder order_;
  /// The bank's tensors: a bank that moves to a new grid makes new ones and leaves these alone.
  at::Tensor vectors_;
  at::Tensor labels_;
  at::Tensor ids_;

  mutable std::mutex mutex_;
  /// The next position to hand out.
  std::int64_t cursor_ = 0;
  /// Positions below it may have been overwritten; those from cursor_ on lie in aside_.
  std::int64_t overwritten_ = 0;
  std::deque<BankBlock> aside_;
};

}  // namespace negatron
