#include "samplers/bank/bank.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"

namespace negatron {
namespace {

constexpr std::int64_t kUnknown = -1;
constexpr float kMasked = -std::numeric_limits<float>::infinity();

void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

at::Tensor on_host(const at::Tensor& values) {
  return values.to(at::kCPU, at::kLong).contiguous();
}

/// The cells of one batch in a grid that is stored offset-major: [n, ...] -> [count, ...].
at::Tensor column(const at::Tensor& grid, std::int64_t columns, std::int64_t column, std::int64_t count) {
  return grid.unflatten(0, {-1, columns}).select(1, column).narrow(0, 0, count);
}

}  // namespace

Bank::Bank(const BankOptions& options, int rank, int ranks)
    : options_(options), rank_(rank), layout_(options.rows, ranks, options.global_batch) {
  require(options.width >= 1, "the bank needs rows of width at least 1");
  require(at::isFloatingType(options.dtype), "the bank stores rows in fp64, fp32, bf16 or fp16");
  require(rank >= 0 && rank < ranks, "the rank of a bank must lie in [0, ranks)");
  allocate();
  if (options.fill == BankFill::kRandom) fill_with_random_rows();
}

void Bank::enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
                   std::int64_t global_batch) {
  require(global_batch >= 0 && step >= 0, "Bank::enqueue: step and global_batch must not be negative");
  const std::int64_t own = share(global_batch, layout_.ranks(), rank_).size();
  require(keys.dim() == 2 && keys.size(0) == own && keys.size(1) == options_.width && keys.is_floating_point(),
          "Bank::enqueue: keys must be floating and [" + std::to_string(own) + ", " + std::to_string(options_.width) +
              "], this rank's share of the global batch of " + std::to_string(global_batch));
  require(ids.dim() == 1 && ids.size(0) == own && ids.scalar_type() == at::kLong,
          "Bank::enqueue: ids must be int64, one for each key");
  require(!labels.defined() || (labels.dim() == 1 && labels.size(0) == own && labels.scalar_type() == at::kLong),
          "Bank::enqueue: labels must be int64, one for each key, or undefined");
  append(keys, ids, labels, step, global_batch);
}

void Bank::fill_with_random_rows() {
  // In batches of the expected size, so that owners and expiry are those of the steady state.
  for (std::int64_t start = 0; start < options_.rows; start += options_.global_batch) {
    const std::int64_t size = std::min(options_.global_batch, options_.rows - start);
    const Range own = share(size, layout_.ranks(), rank_);
    append(random_unit_rows(options_.seed, start + own.begin, own.size(), options_.width),
           at::full({own.size()}, kUnknown, at::kLong), at::Tensor(), kUnknown, size);
  }
}

void Bank::append(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step,
                  std::int64_t global_batch) {
  const at::NoGradGuard no_grad;
  const std::int64_t old_head = layout_.head();
  const std::int64_t new_floor = layout_.floor_at(old_head + global_batch);
  const std::vector<std::int64_t> expired = layout_.rows_of(rank_, {layout_.floor(), std::min(new_floor, old_head)});
  for (const std::int64_t row : expired) index_.erase(shard_.ids.const_data_ptr<std::int64_t>()[row], row);

  const std::int64_t old_columns = layout_.columns();
  const std::int64_t old_height = layout_.height();
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
  if (keys.size(0) > 0) write(keys, ids, labels, step);
  for (const std::int64_t row : written) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
  publish_validity();
}

void Bank::write(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step) {
  const auto cells = [&](const at::Tensor& grid) {
    return column(grid, layout_.columns(), layout_.column_of(layout_.batches().back()), keys.size(0));
  };
  cells(shard_.rows.vectors).copy_(keys.detach());
  cells(shard_.ids).copy_(on_host(ids));
  cells(shard_.labels).copy_(labels.defined() ? on_host(labels) : at::full_like(shard_.ids[0], kUnknown));
  cells(shard_.steps).fill_(step);
}

void Bank::allocate() {
  const std::int64_t rows = layout_.local_rows(rank_);
  shard_.rows.vectors = at::zeros({rows, options_.width}, at::TensorOptions(options_.dtype).device(options_.device));
  shard_.rows.leaves =
      canonical_leaves(layout_.height(), layout_.columns(), share(layout_.height(), layout_.ranks(), rank_));
  for (Leaf& leaf : shard_.rows.leaves) leaf.valid = 0;
  shard_.ids = at::full({rows}, kUnknown, at::kLong);
  shard_.labels = shard_.ids.clone();
  shard_.steps = shard_.ids.clone();
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
    if (own == 0) continue;
    copy(shard_.rows.vectors, old.rows.vectors);
    copy(shard_.ids, old.ids);
    copy(shard_.labels, old.labels);
    copy(shard_.steps, old.steps);
  }
  const std::vector<std::int64_t> kept = layout_.rows_of(rank_, {layout_.floor(), layout_.batches().back().start});
  mark(kept, true);
  for (const std::int64_t row : kept) index_.insert(shard_.ids.const_data_ptr<std::int64_t>()[row], row);
}

void Bank::mark(const std::vector<std::int64_t>& rows, bool valid) {
  if (rows.empty()) return;
  for (const std::int64_t row : rows) {
    const auto after = std::upper_bound(shard_.rows.leaves.begin(), shard_.rows.leaves.end(), row,
                                        [](std::int64_t value, const Leaf& leaf) { return value < leaf.begin; });
    std::prev(after)->valid += valid ? 1 : -1;
  }
  validity_.index_fill_(0, at::tensor(rows, at::kLong).to(options_.device), valid ? 0.0F : kMasked);
}

void Bank::publish_validity() {
  const bool all_valid = std::all_of(shard_.rows.leaves.begin(), shard_.rows.leaves.end(),
                                     [](const Leaf& leaf) { return leaf.valid == leaf.size(); });
  shard_.rows.validity = all_valid ? at::Tensor() : validity_;
}

}  // namespace negatron
