#pragma once

#include <cstdint>
#include <deque>

#include "samplers/bank/bank_copy.h"

namespace negatron {

/// The copy of a queue, which is read in the order in which it is overwritten: oldest key first. Local.
class QueueCopy : public BankCopy {
 public:
  QueueCopy(const BankShard& shard, const BankLayout& layout, int rank) : BankCopy(shard, layout, rank) {}

  /// Keys with sequence numbers below `floor` may be overwritten from now on.
  void set_aside(std::int64_t floor);
  std::int64_t rows_set_aside() const override;

 private:
  std::int64_t take(std::int64_t most, const BankBlock& into, std::int64_t begin) override;

  /// Positions below it may have been overwritten; those from cursor_ on lie in aside_.
  std::int64_t overwritten_ = 0;
  std::deque<BankBlock> aside_;
};

}  // namespace negatron
