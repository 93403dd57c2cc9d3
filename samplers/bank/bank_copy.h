#pragma once

#include <cstdint>
#include <mutex>

#include <ATen/ATen.h>

#include "samplers/bank/bank_block.h"
#include "samplers/bank/bank_layout.h"
#include "samplers/bank/bank_shard.h"
#include "samplers/bank/ring_order.h"

namespace negatron {

/// One rank's rows as they were when the copy began, handed out block by block in ring order, while the bank goes on.
/// One thread calls `next`; the thread of the bank sets rows aside before it overwrites them. What is in memory at any
/// time is one block and the rows that were overwritten before their turn. Local.
class BankCopy {
 public:
  virtual ~BankCopy() = default;
  BankCopy(const BankCopy&) = delete;
  BankCopy& operator=(const BankCopy&) = delete;

  /// n, over the whole copy.
  std::int64_t rows() const noexcept { return order_.size(); }
  const BankLayout& layout() const noexcept { return layout_; }
  /// The next `count` rows. Throws std::out_of_range when fewer are left. From another thread than the bank's, rows on
  /// a GPU are read on the device's default stream.
  BankBlock next(std::int64_t count);
  /// Rows set aside that `next` has not handed out yet.
  virtual std::int64_t rows_set_aside() const = 0;

 protected:
  BankCopy(const BankShard& shard, const BankLayout& layout, int rank);

  /// At most `most` rows from cursor_ on, as they were, go to those of `into` from `begin` on; returns how many, at
  /// least one. Under the lock.
  virtual std::int64_t take(std::int64_t most, const BankBlock& into, std::int64_t begin) = 0;
  /// The rows of these positions, as the bank has them now, go to those of `into` from `begin` on.
  void read(Range positions, const BankBlock& into, std::int64_t begin) const;
  /// Room for `rows` rows.
  BankBlock empty_block(std::int64_t rows) const;

  BankLayout layout_;
  RingOrder order_;
  mutable std::mutex mutex_;
  /// The next position to hand out.
  std::int64_t cursor_ = 0;

 private:
  /// The bank's tensors: a bank that moves to a new grid makes new ones and leaves these alone.
  at::Tensor vectors_;
  at::Tensor labels_;
  at::Tensor ids_;
  at::Tensor steps_;
};

}  // namespace negatron
