#include <stdexcept>
#include <string>

#include "samplers/bank/bank.h"

namespace negatron {

void Bank::restore(const BankLayoutState& state, const BankRowReader& read) {
  const at::NoGradGuard no_grad;
  if (state.capacity != options_.rows) {
    throw std::invalid_argument("a bank of " + std::to_string(state.capacity) +
                                " rows cannot be restored into one of " + std::to_string(options_.rows));
  }
  // Else slots would not be those of the samples.
  if (is_memory() && !holds_samples(state)) {
    throw std::invalid_argument("a queue cannot be restored into a memory bank");
  }
  // The state does not depend on ranks: slots and batches are those of the job that saved it, and shares are cut anew
  // for this one. Rows of the file are asked for by sequence number, so a rank reads its own keys only.
  layout_ = BankLayout(state, layout_.ranks());
  index_.clear();
  allocate();
  const RingOrder order(layout_, rank_);
  const std::int64_t columns = order.columns();
  for (const RingOrder::Stretch& stretch : order.stretches({0, order.size()})) {
    const BankBlock keys = read({stretch.sequence, stretch.sequence + stretch.count});
    const bool fits = keys.vectors.dim() == 2 && keys.vectors.size(0) == stretch.count &&
                      keys.vectors.size(1) == options_.width && keys.ids.numel() == stretch.count &&
                      keys.labels.numel() == stretch.count && (!is_memory() || keys.steps.numel() == stretch.count);
    if (!fits) throw std::invalid_argument("Bank::restore: the reader gave keys of another shape than was asked for");
    // [count, ...] cells, one every `columns` rows.
    const auto cells = [&](const at::Tensor& grid) {
      return grid.slice(0, stretch.first_row, stretch.first_row + (stretch.count - 1) * columns + 1, columns);
    };
    cells(shard_.rows.vectors).copy_(keys.vectors);
    cells(shard_.rows.labels).copy_(keys.labels);
    cells(shard_.ids).copy_(keys.ids);
    // Rows of a memory bank lie in one batch, and each was written at a step of its own.
    if (is_memory()) {
      cells(shard_.steps).copy_(keys.steps);
    } else {
      cells(shard_.steps).fill_(stretch.step);
    }
    const at::Tensor sequence =
        at::arange(stretch.sequence, stretch.sequence + stretch.count, shard_.rows.slots.options());
    cells(shard_.rows.slots).copy_(sequence.remainder(layout_.capacity()));
  }
  // Before this, nothing was valid; the stretches held keys that count and no others.
  const std::vector<std::int64_t> kept = layout_.rows_of(rank_, {layout_.floor(), layout_.head()});
  mark(kept, true);
  if (is_memory()) {
    written_ = {};
    const auto* step = shard_.steps.const_data_ptr<std::int64_t>();
    for (const std::int64_t row : kept) count_written(step[row], 1);
  } else {
    for (const std::int64_t row : kept) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
  }
  publish_validity();
}

std::shared_ptr<BankCopy> Bank::start_copy() {
  if (is_memory()) {
    auto copy = std::make_shared<MemoryCopy>(shard_, layout_, rank_);
    memory_copy_ = copy;
    return copy;
  }
  auto copy = std::make_shared<QueueCopy>(shard_, layout_, rank_);
  queue_copy_ = copy;
  return copy;
}

}  // namespace negatron
