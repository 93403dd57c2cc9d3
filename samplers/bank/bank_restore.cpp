#include <stdexcept>
#include <string>

#include <ATen/core/grad_mode.h>

#include "samplers/bank/bank.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {

void Bank::restore(const BankLayoutState& state, const BankRowReader& read) {
  const at::NoGradGuard no_grad;
  if (state.capacity != options_.rows) {
    throw std::invalid_argument("a bank of " + std::to_string(state.capacity) +
                                " rows cannot be restored into one of " + std::to_string(options_.rows));
  }
  // Else slots would not be those of the rows.
  if (rows_stay(kind()) && !is_table(state)) {
    throw std::invalid_argument("a queue cannot be restored into a bank whose rows stay");
  }
  // The state does not depend on ranks: slots and batches are those of the job that saved it, and shares are cut anew
  // for this one. Rows of the file are asked for by sequence number, so a rank reads its own keys only.
  layout_ = BankLayout(state, layout_.ranks());
  index_.clear();
  allocate();
  const RingOrder order(layout_, rank_);
  const std::int64_t columns = order.columns();
  const std::int64_t width = vector_width(options_.length, options_.width);
  const std::int64_t remembered = moments_width(options_.row_optimizer, width);
  const auto has_learned = [&](const BankBlock& keys) {
    return !rows_learn(kind()) ||
           (keys.raw.defined() && keys.raw.sizes() == at::IntArrayRef{keys.vectors.size(0), width} &&
            keys.moments.defined() && keys.moments.sizes() == at::IntArrayRef{keys.vectors.size(0), remembered});
  };
  for (const RingOrder::Stretch& stretch : order.stretches({0, order.size()})) {
    const BankBlock keys = read({stretch.sequence, stretch.sequence + stretch.count});
    const bool fits = keys.vectors.dim() == 2 && keys.vectors.size(0) == stretch.count &&
                      keys.vectors.size(1) == options_.width && keys.ids.numel() == stretch.count &&
                      keys.labels.numel() == stretch.count &&
                      (!rows_stay(kind()) || keys.steps.numel() == stretch.count) && has_learned(keys);
    if (!fits) throw std::invalid_argument("Bank::restore: the reader gave keys of another shape than was asked for");
    // [count, ...] cells, one every `columns` rows.
    const auto cells = [&](const at::Tensor& grid) {
      return grid.slice(0, stretch.first_row, stretch.first_row + (stretch.count - 1) * columns + 1, columns);
    };
    cells(shard_.rows.vectors).copy_(keys.vectors);
    cells(shard_.rows.labels).copy_(keys.labels);
    cells(shard_.ids).copy_(keys.ids);
    // Rows that stay lie in one batch, and each was written at a step of its own.
    if (rows_stay(kind())) {
      cells(shard_.steps).copy_(keys.steps);
    } else {
      cells(shard_.steps).fill_(stretch.step);
    }
    if (rows_learn(kind())) {
      cells(shard_.raw).copy_(keys.raw);
      cells(shard_.moments).copy_(keys.moments);
      // Rows in another type are rounded from what they were, and not from what they were rounded to.
      const bool is_rounded = keys.vectors.scalar_type() != options_.dtype;
      if (is_rounded) cells(shard_.rows.vectors).copy_(scored_rows(cells(shard_.raw), options_.length));
    }
    const at::Tensor sequence =
        at::arange(stretch.sequence, stretch.sequence + stretch.count, shard_.rows.slots.options());
    cells(shard_.rows.slots).copy_(sequence.remainder(layout_.capacity()));
  }
  // Before this, nothing was valid; the stretches held keys that count and no others.
  const std::vector<std::int64_t> kept = layout_.rows_of(rank_, {layout_.floor(), layout_.head()});
  mark(kept, true);
  if (rows_stay(kind())) {
    written_ = {};
    const auto* step = shard_.steps.const_data_ptr<std::int64_t>();
    for (const std::int64_t row : kept) count_written(step[row], 1);
  } else {
    for (const std::int64_t row : kept) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
  }
  publish_validity();
}

std::shared_ptr<BankCopy> Bank::start_copy() {
  if (rows_learn(kind())) {
    auto copy = std::make_shared<LearnedCopy>(shard_, layout_, rank_);
    learned_copy_ = copy;
    return copy;
  }
  if (rows_have_samples(kind())) {
    auto copy = std::make_shared<MemoryCopy>(shard_, layout_, rank_);
    memory_copy_ = copy;
    return copy;
  }
  auto copy = std::make_shared<QueueCopy>(shard_, layout_, rank_);
  queue_copy_ = copy;
  return copy;
}

}  // namespace negatron
