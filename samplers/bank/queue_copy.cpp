#include "samplers/bank/queue_copy.h"

#include <algorithm>
#include <utility>

#include <ATen/core/grad_mode.h>

namespace negatron {

// A copy is a position in ring order, and two numbers divide the positions. Below `cursor_` all is handed out. From
// `cursor_` to `overwritten_` the bank has moved on, and the rows lie in `aside_`, oldest first. From the larger of the
// two on rows are still where they were. Because keys are overwritten oldest first, as they are read, the three follow
// each other and no row is looked up.
//
// Example of 10 rows: 3 are read, then the bank overwrites its 5 oldest. Rows 3 and 4 go aside, overwritten_ is 5. The
// next 4 rows are two of those and then rows 5 and 6 from the bank.
std::int64_t QueueCopy::take(std::int64_t most, const BankBlock& into, std::int64_t begin) {
  // Nothing aside means that overwritten_ is at or below cursor_: the rows are where they were.
  if (aside_.empty()) {
    read({cursor_, cursor_ + most}, into, begin);
    return most;
  }
  BankBlock& oldest = aside_.front();
  const std::int64_t taken = std::min(most, oldest.ids.size(0));
  copy_into(into, begin, part_of(oldest, 0, taken));
  // A view: the block's memory stays until all of it is handed out.
  oldest = part_of(oldest, taken, oldest.ids.size(0) - taken);
  if (oldest.ids.size(0) == 0) aside_.pop_front();
  return taken;
}

void QueueCopy::set_aside(std::int64_t floor) {
  const at::NoGradGuard no_grad;
  const std::lock_guard lock(mutex_);
  const std::int64_t end = order_.position_of(floor);
  // What was read, or set aside before, needs no second copy.
  const std::int64_t begin = std::max(cursor_, overwritten_);
  if (begin < end) {
    BankBlock block = empty_block(end - begin);
    read({begin, end}, block, 0);
    aside_.push_back(std::move(block));
  }
  // Also where nothing was set aside, so that a reader that comes late finds the positions in order. A floor may come
  // twice.
  overwritten_ = std::max(overwritten_, end);
}

std::int64_t QueueCopy::rows_set_aside() const {
  const std::lock_guard lock(mutex_);
  std::int64_t rows = 0;
  for (const BankBlock& block : aside_) rows += block.ids.size(0);
  return rows;
}

}  // namespace negatron
