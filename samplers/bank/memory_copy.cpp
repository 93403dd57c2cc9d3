#include "samplers/bank/memory_copy.h"

#include <ATen/core/grad_mode.h>

namespace negatron {

// Example of 10 rows: 3 are read, then a step replaces rows 1, 4 and 8, and the next one rows 4 and 9. Row 1 was read;
// rows 4 and 8 go aside, and then row 9, but not row 4, whose first value counts. The next 4 rows are 3 to 6 from the
// bank, over which row 4 from aside is laid.
std::int64_t MemoryCopy::take(std::int64_t most, const BankBlock& into, std::int64_t begin) {
  read({cursor_, cursor_ + most}, into, begin);
  const auto end = aside_.lower_bound(cursor_ + most);
  for (auto row = aside_.begin(); row != end; row = aside_.erase(row)) {
    copy_into(into, begin + row->first - cursor_, row->second);
  }
  return most;
}

void MemoryCopy::set_aside(const at::Tensor& rows) {
  const at::NoGradGuard no_grad;
  const std::lock_guard lock(mutex_);
  const auto* row = rows.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    if (row[i] < cursor_ || aside_.contains(row[i])) continue;
    const BankBlock one = empty_block(1);
    read({row[i], row[i] + 1}, one, 0);
    aside_.emplace(row[i], one);
  }
}

std::int64_t MemoryCopy::rows_set_aside() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(aside_.size());
}

}  // namespace negatron
