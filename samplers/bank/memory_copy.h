#pragma once

#include <cstdint>
#include <map>

#include <ATen/ATen.h>

#include "samplers/bank/bank_copy.h"

namespace negatron {

/// The copy of a memory bank, whose rows are overwritten in any order: what a step is about to replace and was not read
/// yet is set aside, row by row, once. Local.
class MemoryCopy : public BankCopy {
 public:
  MemoryCopy(const BankShard& shard, const BankLayout& layout, int rank) : BankCopy(shard, layout, rank) {}

  /// rows [m] int64 on the host, each once: own rows that may be overwritten from now on.
  void set_aside(const at::Tensor& rows);
  std::int64_t rows_set_aside() const override;

 private:
  std::int64_t take(std::int64_t most, const BankBlock& into, std::int64_t begin) override;

  /// By position, which is the row: a memory bank is one batch in one column. Each block is one row.
  std::map<std::int64_t, BankBlock> aside_;
};

}  // namespace negatron
