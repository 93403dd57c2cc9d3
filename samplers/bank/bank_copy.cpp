#include "samplers/bank/bank_copy.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

namespace negatron {
namespace {

/// How much is read at a time under the lock, for which the training step may have to wait: so little that the reading
/// thread, which may have a low priority, hardly ever loses its core meanwhile.
constexpr std::int64_t kBytesUnderLock = 1 << 17;

BankBlock make_block(std::int64_t rows, std::int64_t width, at::ScalarType dtype) {
  const at::Tensor column = at::empty({rows}, at::kLong);
  return {at::empty({rows, width}, dtype), column, column.clone(), column.clone(), column.clone()};
}

BankBlock part(const BankBlock& block, std::int64_t begin, std::int64_t count) {
  const auto rows = [&](const at::Tensor& all) { return all.narrow(0, begin, count); };
  return {rows(block.vectors), rows(block.ids), rows(block.labels), rows(block.steps), rows(block.sequence)};
}

void copy_into(const BankBlock& to, std::int64_t begin, const BankBlock& from) {
  const auto copy = [&](const at::Tensor& all, const at::Tensor& some) {
    if (some.numel() == 0) return;
    const std::size_t row_bytes = some.nbytes() / static_cast<std::size_t>(some.size(0));
    std::memcpy(static_cast<char*>(all.mutable_data_ptr()) + static_cast<std::size_t>(begin) * row_bytes,
                some.const_data_ptr(), some.nbytes());
  };
  copy(to.vectors, from.vectors);
  copy(to.ids, from.ids);
  copy(to.labels, from.labels);
  copy(to.steps, from.steps);
  copy(to.sequence, from.sequence);
}

/// Keys of one batch lie a stride apart, which no processor foresees.
constexpr std::size_t kRowsAhead = 8;

void prefetch(const char* row, std::size_t row_bytes) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t byte = 0; byte < row_bytes; byte += kCacheLine) __builtin_prefetch(row + byte);
}

/// to[begin + i] = from[rows[i]], both contiguous. On the host by plain copies: an ATen operator would start worker
/// threads that take the training's cores.
void gather(const at::Tensor& to, std::int64_t begin, const at::Tensor& from, const std::vector<std::int64_t>& rows) {
  if (rows.empty()) return;
  if (!from.is_cpu()) {
    const at::Tensor index = at::tensor(rows, at::kLong).to(from.device());
    to.narrow(0, begin, index.size(0)).copy_(from.index_select(0, index));
    return;
  }
  const std::size_t row_bytes = to.nbytes() / static_cast<std::size_t>(to.size(0));
  const auto* source = static_cast<const char*>(from.const_data_ptr());
  auto* target = static_cast<char*>(to.mutable_data_ptr()) + static_cast<std::size_t>(begin) * row_bytes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + kRowsAhead < rows.size())
      prefetch(source + static_cast<std::size_t>(rows[i + kRowsAhead]) * row_bytes, row_bytes);
    std::memcpy(target + i * row_bytes, source + static_cast<std::size_t>(rows[i]) * row_bytes, row_bytes);
  }
}

}  // namespace

BankCopy::BankCopy(const BankShard& shard, const BankLayout& layout, int rank)
    : layout_(layout),
      order_(layout, rank),
      vectors_(shard.rows.vectors),
      labels_(shard.rows.labels),
      ids_(shard.ids) {}

// A copy is a position in ring order, and two numbers divide the positions. Below `cursor_` all is handed out. From
// `cursor_` to `overwritten_` the bank has moved on, and the rows lie in `aside_`, oldest first. From the larger of the
// two on rows are still where they were. Because keys are overwritten oldest first, as they are read, the three follow
// each other and no row is looked up.
//
// Example of 10 rows: 3 are read, then the bank overwrites its 5 oldest. Rows 3 and 4 go aside, overwritten_ is 5. The
// next 4 rows are two of those and then rows 5 and 6 from the bank.
BankBlock BankCopy::next(std::int64_t count) {
  const at::NoGradGuard no_grad;
  BankBlock block = make_block(count, vectors_.size(1), vectors_.scalar_type());
  const std::int64_t row_bytes = vectors_.size(1) * static_cast<std::int64_t>(vectors_.element_size());
  const std::int64_t rows_under_lock = std::max<std::int64_t>(1, kBytesUnderLock / row_bytes);
  std::int64_t done = 0;
  while (done < count) {
    const std::lock_guard lock(mutex_);
    const std::int64_t wanted = std::min(count - done, rows_under_lock);
    if (cursor_ + wanted > order_.size()) throw std::out_of_range("BankCopy::next: fewer rows are left");
    std::int64_t taken = 0;
    // Nothing aside means that overwritten_ is at or below cursor_: the rows are where they were.
    if (aside_.empty()) {
      taken = wanted;
      read({cursor_, cursor_ + taken}, block, done);
    } else {
      BankBlock& oldest = aside_.front();
      taken = std::min(wanted, oldest.ids.size(0));
      copy_into(block, done, part(oldest, 0, taken));
      // A view: the block's memory stays until all of it is handed out.
      oldest = part(oldest, taken, oldest.ids.size(0) - taken);
      if (oldest.ids.size(0) == 0) aside_.pop_front();
    }
    cursor_ += taken;
    done += taken;
  }
  return block;
}

void BankCopy::set_aside(std::int64_t floor) {
  const at::NoGradGuard no_grad;
  const std::lock_guard lock(mutex_);
  const std::int64_t end = order_.position_of(floor);
  // What was read, or set aside before, needs no second copy.
  const std::int64_t begin = std::max(cursor_, overwritten_);
  if (begin < end) {
    BankBlock block = make_block(end - begin, vectors_.size(1), vectors_.scalar_type());
    read({begin, end}, block, 0);
    aside_.push_back(std::move(block));
  }
  // Also where nothing was set aside, so that a reader that comes late finds the positions in order. A floor may come
  // twice.
  overwritten_ = std::max(overwritten_, end);
}

std::int64_t BankCopy::rows_set_aside() const {
  const std::lock_guard lock(mutex_);
  std::int64_t rows = 0;
  for (const BankBlock& block : aside_) rows += block.ids.size(0);
  return rows;
}

void BankCopy::read(Range positions, const BankBlock& into, std::int64_t begin) const {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(positions.size()));
  auto* step = into.steps.mutable_data_ptr<std::int64_t>() + begin;
  auto* sequence = into.sequence.mutable_data_ptr<std::int64_t>() + begin;
  // Steps and sequence numbers follow from the layout as it was when the copy began; vectors, labels and ids are
  // gathered.
  for (const RingOrder::Stretch& stretch : order_.stretches(positions)) {
    for (std::int64_t i = 0; i < stretch.count; ++i) {
      rows.push_back(stretch.first_row + i * order_.columns());
      *step++ = stretch.step;
      *sequence++ = stretch.sequence + i;
    }
  }
  gather(into.vectors, begin, vectors_, rows);
  gather(into.labels, begin, labels_, rows);
  gather(into.ids, begin, ids_, rows);
}

}  // namespace negatron
