#include "samplers/bank/bank.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include <ATen/core/grad_mode.h>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Stands in for a slot, label, id or step that a row does not have.
constexpr std::int64_t kNone = -1;
constexpr float kMasked = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kMostRows = std::int64_t{1} << 32;

at::Tensor on_host(const at::Tensor& values) {
  return values.to(at::kCPU, at::kLong).contiguous();
}

/// Leaves are ascending and cover all rows of the shard, so the last one that begins at or before the row holds it.
Leaf& leaf_of(std::vector<Leaf>& leaves, std::int64_t row) {
  const auto after = std::upper_bound(leaves.begin(), leaves.end(), row,
                                      [](std::int64_t value, const Leaf& leaf) { return value < leaf.begin; });
  return *std::prev(after);
}

/// The cells of one batch in a grid that is stored offset-major: [n, ...] -> [count, ...].
at::Tensor column(const at::Tensor& grid, std::int64_t columns, std::int64_t column, std::int64_t count) {
  return grid.unflatten(0, {-1, columns}).select(1, column).narrow(0, 0, count);
}

}  // namespace

Bank::Bank(const BankOptions& options, int rank, int ranks)
    : options_(options),
      rank_(rank),
      // Rows that stay are one batch, which never expires: slot s is row s of the ranks in their order.
      layout_(options.rows, ranks, rows_stay(options.kind) ? options.rows : options.global_batch) {
  require(options.rows < kMostRows, "the bank holds fewer than 2^32 rows");
  require(vector_width(options.length, options.width) >= 1, "the bank needs rows of width at least 1");
  require(at::isFloatingType(options.dtype), "the bank stores rows in fp64, fp32, bf16 or fp16");
  require(can_be_stored(options.length, options.dtype), "the bank stores rows of distances in fp64 or fp32");
  require(rank >= 0 && rank < ranks, "the rank of a bank must lie in [0, ranks)");
  require(kind() != BankKind::kLearned || options.length != RowLength::kAsMade,
          "rows of a learned bank are trained as unit rows, or by their distances");
  allocate();
  if (rows_stay(kind())) {
    fill_for_good();
  } else if (options.fill == BankFill::kRandom) {
    fill_with_random_rows();
  }
}

void Bank::enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
                   std::int64_t global_batch) {
  require(!rows_stay(kind()), "Bank::enqueue: only a queue takes keys; rows that stay are replaced or trained");
  require(global_batch >= 0 && step >= 0, "Bank::enqueue: step and global_batch must not be negative");
  const std::int64_t own = share(global_batch, layout_.ranks(), rank_).size();
  // Without a message no rank can see what others bring. If each brings its share of a batch whose size all know, their
  // layouts stay equal; a rank with a row too few would shift the slots of all later keys.
  require(keys.dim() == 2 && keys.size(0) == own && keys.size(1) == options_.width && keys.is_floating_point(),
          "Bank::enqueue: keys must be floating and [" + std::to_string(own) + ", " + std::to_string(options_.width) +
              "], this rank's share of the global batch of " + std::to_string(global_batch));
  require(ids.dim() == 1 && ids.size(0) == own && ids.scalar_type() == at::kLong,
          "Bank::enqueue: ids must be int64, one for each key");
  require(!labels.defined() || (labels.dim() == 1 && labels.size(0) == own && labels.scalar_type() == at::kLong),
          "Bank::enqueue: labels must be int64, one for each key, or undefined");
  append(keys, ids, labels, step, global_batch);
}

Rows Bank::rows_no_older_than(std::int64_t oldest_step) const {
  Rows young = shard_.rows;
  std::vector<std::int64_t> old = rows_stay(kind()) ? rows_before(oldest_step) : std::vector<std::int64_t>();
  // Age goes by batch: all keys of one were written at one step. Of the oldest batch only the part above the floor
  // counts, and the rest must not be taken from a leaf's count twice.
  for (const BankBatch& batch : layout_.batches()) {
    if (batch.step < 0 || batch.step >= oldest_step) continue;
    const std::vector<std::int64_t> rows =
        layout_.rows_of(rank_, {std::max(batch.start, layout_.floor()), batch.end()});
    old.insert(old.end(), rows.begin(), rows.end());
  }
  if (old.empty()) return young;
  for (const std::int64_t row : old) --leaf_of(young.leaves, row).valid;
  // Copies, as the leaves are: the bank itself keeps these rows, which another request may still meet.
  young.validity = validity_.index_fill(0, queued_copy(at::tensor(old, at::kLong), options_.device), kMasked);
  return young;
}

void Bank::fill_with_random_rows() {
  // In batches of the expected size, so that owners and expiry are those of the steady state.
  for (std::int64_t start = 0; start < options_.rows; start += options_.global_batch) {
    const std::int64_t size = std::min(options_.global_batch, options_.rows - start);
    const Range own = share(size, layout_.ranks(), rank_);
    append(random_rows({start + own.begin, start + own.end}), at::full({own.size()}, kNone, at::kLong), at::Tensor(),
           kNone, size);
  }
}

at::Tensor Bank::random_rows(Range slots) const {
  const std::int64_t width = vector_width(options_.length, options_.width);
  return rows_of_vectors(random_unit_rows(options_.seed, slots.begin, slots.size(), width), options_.length);
}

void Bank::append(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
                  std::int64_t global_batch) {
  // The order of the steps is what keeps bank and index of one mind:
  //
  //   1  the index forgets the rows that expire, by the ids that still lie there
  //   2  a running copy sets aside what is about to be overwritten
  //   3  the layout moves on; if it needs a larger grid, all rows move into new tensors
  //   4  validity follows: expired rows off, new rows on
  //   5  the keys are written, and the index learns their ids
  //
  // Example of BANK.md 2, K = 6 and batches of 4, third batch: keys 2 to 5 expire and 8 to 11 come. Rank 1, which has
  // keys 2, 3 | 6, 7, drops 2 and 3 in column 0 and writes 10 and 11 to the same rows: `expired` and `written` are
  // equal, and no validity changes. Rank 0 drops keys 4 and 5 in column 1, writes 8 and 9 to column 0, where the long
  // expired 0 and 1 lay, and is left with holes in column 1.
  const at::NoGradGuard no_grad;
  const std::int64_t old_head = layout_.head();
  const std::int64_t new_floor = layout_.floor_at(old_head + global_batch);
  // Not beyond the old head: of a batch larger than the bank some keys expire before they were ever written.
  const std::vector<std::int64_t> expired = layout_.rows_of(rank_, {layout_.floor(), std::min(new_floor, old_head)});
  for (const std::int64_t row : expired) index_.erase(shard_.ids.const_data_ptr<std::int64_t>()[row], row);

  const std::int64_t old_columns = layout_.columns();
  const std::int64_t old_height = layout_.height();
  if (const std::shared_ptr<QueueCopy> copy = queue_copy_.lock()) copy->set_aside(new_floor);
  layout_.append(global_batch, step);
  // Of a batch larger than the bank only the last K keys count.
  const std::vector<std::int64_t> written = layout_.rows_of(rank_, {std::max(old_head, new_floor), layout_.head()});
  if (layout_.columns() != old_columns || layout_.height() != old_height) {
    const BankShard old = shard_;
    allocate();
    move_to_new_grid(old, old_columns);
    mark(written, true);
  } else if (expired != written) {
    // In the steady state the new keys take the places of the old ones and no validity changes.
    mark(expired, false);
    mark(written, true);
  }
  // A rank may own no key of a small batch, for example of one with fewer keys than ranks; its layout has moved on all
  // the same.
  if (keys.size(0) > 0) write(keys, ids, labels, step);
  // Where the row of a sample lies that stays is arithmetic (rows_with_ids), and rows of a learned bank have none.
  if (rows_stay(kind())) {
    publish_validity();
    return;
  }
  for (const std::int64_t row : written) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
  publish_validity();
}

void Bank::write(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step) {
  const auto cells = [&](const at::Tensor& grid) {
    return column(grid, layout_.columns(), layout_.column_of(layout_.batches().back()), keys.size(0));
  };
  // Written as a whole column, with those keys of a batch larger than the bank that do not count: these get no slot.
  const BankBatch& batch = layout_.batches().back();
  const std::int64_t first = batch.start + share(batch.size, layout_.ranks(), rank_).begin;
  const at::Tensor sequence = at::arange(first, first + keys.size(0), shard_.rows.slots.options());
  cells(shard_.rows.vectors).copy_(keys.detach());
  cells(shard_.rows.slots)
      .copy_(sequence.remainder(layout_.capacity()).masked_fill_(sequence < layout_.floor(), kNone));
  if (labels.defined()) {
    cells(shard_.rows.labels).copy_(queued_copy(labels, options_.device));
  } else {
    // The column held another batch, whose labels would otherwise stay.
    cells(shard_.rows.labels).fill_(kNone);
  }
  cells(shard_.ids).copy_(on_host(ids));
  cells(shard_.steps).fill_(step);
}

void Bank::allocate() {
  // A copy in progress keeps the tensors it reads, and nobody writes to them from now on.
  queue_copy_.reset();
  memory_copy_.reset();
  learned_copy_.reset();
  const std::int64_t rows = layout_.local_rows(rank_);
  shard_.rows.vectors = at::zeros({rows, options_.width}, at::TensorOptions(options_.dtype).device(options_.device));
  // To whoever scores, a row of distances is one of any length.
  shard_.rows.length = options_.length == RowLength::kUnit ? RowLength::kUnit : RowLength::kAsMade;
  shard_.rows.leaves =
      canonical_leaves(layout_.height(), layout_.columns(), share(layout_.height(), layout_.ranks(), rank_));
  for (Leaf& leaf : shard_.rows.leaves) leaf.valid = 0;
  shard_.rows.slots = at::full({rows}, kNone, at::TensorOptions(at::kLong).device(options_.device));
  shard_.rows.labels = shard_.rows.slots.clone();
  shard_.ids = at::full({rows}, kNone, at::kLong);
  shard_.steps = shard_.ids.clone();
  if (rows_learn(kind())) {
    const at::ScalarType type = options_.dtype == at::kDouble ? at::kDouble : at::kFloat;
    const std::int64_t width = vector_width(options_.length, options_.width);
    shard_.raw = at::zeros({rows, width}, at::TensorOptions(type).device(options_.device));
    shard_.moments = at::zeros({rows, moments_width(options_.row_optimizer, width)}, shard_.raw.options());
  }
  validity_ = at::full({rows}, kMasked, at::TensorOptions(at::kFloat).device(options_.device));
  publish_validity();
}

void Bank::move_to_new_grid(const BankShard& old, std::int64_t old_columns) {
  index_.clear();
  // All but the newest batch, which no grid holds yet.
  for (auto batch = layout_.batches().begin(); batch != std::prev(layout_.batches().end()); ++batch) {
    const std::int64_t own = share(batch->size, layout_.ranks(), rank_).size();
    const auto copy = [&](const at::Tensor& to, const at::Tensor& from) {
      column(to, layout_.columns(), layout_.column_of(*batch), own)
          .copy_(column(from, old_columns, batch->number % old_columns, own));
    };
    // Batches keep their numbers, so the column of each follows from the new grid, and its keys stay in their order.
    if (own == 0) continue;
    copy(shard_.rows.vectors, old.rows.vectors);
    copy(shard_.rows.slots, old.rows.slots);
    copy(shard_.rows.labels, old.rows.labels);
    copy(shard_.ids, old.ids);
    copy(shard_.steps, old.steps);
  }
  const std::vector<std::int64_t> kept = layout_.rows_of(rank_, {layout_.floor(), layout_.batches().back().start});
  // allocate() has made every row invalid and every count 0, so what counts is marked from nothing.
  mark(kept, true);
  // Whole columns were copied: expired keys of the oldest batch came along and must not keep their slots.
  shard_.rows.slots.masked_fill_(validity_ != 0.0F, kNone);
  for (const std::int64_t row : kept) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
}

void Bank::mark(const std::vector<std::int64_t>& rows, bool valid) {
  if (rows.empty()) return;
  for (const std::int64_t row : rows) leaf_of(shard_.rows.leaves, row).valid += valid ? 1 : -1;
  const at::Tensor index = queued_copy(at::tensor(rows, at::kLong), options_.device);
  validity_.index_fill_(0, index, valid ? 0.0F : kMasked);
  if (!valid) shard_.rows.slots.index_fill_(0, index, kNone);
}

void Bank::publish_validity() {
  // Undefined while every row may score: passes then skip the mask, and attention serves only such rows.
  const bool all_valid = std::all_of(shard_.rows.leaves.begin(), shard_.rows.leaves.end(),
                                     [](const Leaf& leaf) { return leaf.valid == leaf.size(); });
  shard_.rows.validity = all_valid ? at::Tensor() : validity_;
}

}  // namespace negatron
