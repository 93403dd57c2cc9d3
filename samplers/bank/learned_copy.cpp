#include "samplers/bank/learned_copy.h"

#include <stdexcept>

namespace negatron {

LearnedCopy::LearnedCopy(const BankShard& shard, const BankLayout& layout, int rank)
    : BankCopy(shard, layout, rank), raw_(shard.raw), moments_(shard.moments) {}

std::int64_t LearnedCopy::take(std::int64_t most, const BankBlock& into, std::int64_t begin) {
  read({cursor_, cursor_ + most}, into, begin);
  return most;
}

at::Tensor LearnedCopy::next_of(const at::Tensor& all, std::int64_t& cursor, std::int64_t count) {
  if (cursor + count > all.size(0)) throw std::out_of_range("LearnedCopy: fewer rows are left");
  // Rows that stay are one column of one batch: what comes first lies first.
  const at::Tensor rows = all.narrow(0, cursor, count);
  cursor += count;
  return rows.cpu();
}

}  // namespace negatron
