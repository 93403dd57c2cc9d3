#include "samplers/bank/bank_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <ATen/core/grad_mode.h>

namespace negatron {
namespace {

/// How much is read at a time under the lock, for which the training step may have to wait: so little that the reading
/// thread, which may have a low priority, hardly ever loses its core meanwhile.
constexpr std::int64_t kBytesUnderLock = 1 << 17;

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
      ids_(shard.ids),
      steps_(shard.steps) {}

BankBlock BankCopy::next(std::int64_t count) {
  const at::NoGradGuard no_grad;
  BankBlock block = empty_block(count);
  const std::int64_t row_bytes = vectors_.size(1) * static_cast<std::int64_t>(vectors_.element_size());
  const std::int64_t rows_under_lock = std::max<std::int64_t>(1, kBytesUnderLock / row_bytes);
  std::int64_t done = 0;
  while (done < count) {
    const std::lock_guard lock(mutex_);
    const std::int64_t wanted = std::min(count - done, rows_under_lock);
    if (cursor_ + wanted > order_.size()) throw std::out_of_range("BankCopy::next: fewer rows are left");
    const std::int64_t taken = take(wanted, block, done);
    cursor_ += taken;
    done += taken;
  }
  return block;
}

BankBlock BankCopy::empty_block(std::int64_t rows) const {
  return make_block(rows, vectors_.size(1), vectors_.scalar_type());
}

void BankCopy::read(Range positions, const BankBlock& into, std::int64_t begin) const {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(positions.size()));
  auto* sequence = into.sequence.mutable_data_ptr<std::int64_t>() + begin;
  // Sequence numbers follow from the layout as it was when the copy began; all else is gathered.
  for (const RingOrder::Stretch& stretch : order_.stretches(positions)) {
    for (std::int64_t i = 0; i < stretch.count; ++i) {
      rows.push_back(stretch.first_row + i * order_.columns());
      *sequence++ = stretch.sequence + i;
    }
  }
  gather(into.vectors, begin, vectors_, rows);
  gather(into.labels, begin, labels_, rows);
  gather(into.ids, begin, ids_, rows);
  gather(into.steps, begin, steps_, rows);
}

}  // namespace negatron
