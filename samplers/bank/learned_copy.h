#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/bank_copy.h"

namespace negatron {

/// The copy of a bank whose rows learn, of which a step may change every row: the bank leaves it the tensors that it
/// reads and goes on with others, so that nothing is set aside and nobody waits. Beside the rows as they score it hands
/// out the raw rows and what their optimizer remembers, each as a sequence of its own. Local.
class LearnedCopy : public BankCopy {
 public:
  LearnedCopy(const BankShard& shard, const BankLayout& layout, int rank);

  /// Whether it reads these raw rows.
  bool reads(const at::Tensor& raw) const { return raw_.is_same(raw); }
  /// The next `count` raw rows [count, d], and moments [count, moments_width], on the host. Throws std::out_of_range
  /// when fewer are left.
  at::Tensor next_raw(std::int64_t count) { return next_of(raw_, raw_cursor_, count); }
  at::Tensor next_moments(std::int64_t count) { return next_of(moments_, moments_cursor_, count); }
  std::int64_t rows_set_aside() const override { return 0; }

 private:
  std::int64_t take(std::int64_t most, const BankBlock& into, std::int64_t begin) override;
  static at::Tensor next_of(const at::Tensor& all, std::int64_t& cursor, std::int64_t count);

  at::Tensor raw_;
  at::Tensor moments_;
  std::int64_t raw_cursor_ = 0;
  std::int64_t moments_cursor_ = 0;
};

}  // namespace negatron
