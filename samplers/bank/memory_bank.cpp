// What a Bank does for rows that stay (BANK.md 6 to 9).

#include "comm/queued_copy.h"

#include <ATen/core/grad_mode.h>
#include "comm/require.h"
#include "samplers/bank/bank.h"

namespace negatron {
namespace {

/// Of a row that no step wrote yet.
constexpr std::int64_t kNoStep = -1;
/// Of a row that belongs to none.
constexpr std::int64_t kNoSample = -1;

}  // namespace

void Bank::fill_for_good() {
  const Range own = share(options_.rows, layout_.ranks(), rank_);
  at::Tensor ids = at::arange(own.begin, own.end, at::kLong);
  if (kind() == BankKind::kLearned) ids.fill_(kNoSample);
  append(random_rows(own), ids, at::Tensor(), kNoStep, options_.rows);
  if (rows_learn(kind())) rest(at::arange(own.size(), shard_.rows.slots.options()));
}

void Bank::replace(const at::Tensor& rows, const at::Tensor& vectors, const at::Tensor& labels, std::int64_t step) {
  const at::NoGradGuard no_grad;
  require(rows_stay(kind()), "Bank::replace: a queue takes keys by enqueue");
  require(step >= kNoStep, "Bank::replace: the step must be -1 or more");
  require(rows.dim() == 1 && rows.scalar_type() == at::kLong && rows.is_cpu(),
          "Bank::replace: rows must be int64, on the host");
  const std::int64_t count = rows.size(0);
  require(vectors.dim() == 2 && vectors.size(0) == count && vectors.size(1) == options_.width &&
              vectors.is_floating_point(),
          "Bank::replace: vectors must be floating and of the bank's width, one for each row");
  require(!labels.defined() || (labels.dim() == 1 && labels.size(0) == count && labels.scalar_type() == at::kLong),
          "Bank::replace: labels must be int64, one for each row, or undefined");
  if (count == 0) return;
  if (const std::shared_ptr<MemoryCopy> copy = memory_copy_.lock()) {
    if (count == shard_.steps.numel()) {
      // All of them: the copy keeps the tensors that it reads.
      shard_.rows.vectors = at::empty_like(shard_.rows.vectors);
      for (at::Tensor* tensor : {&shard_.rows.labels, &shard_.steps}) *tensor = tensor->clone();
      memory_copy_.reset();
    } else {
      copy->set_aside(rows);
    }
  }
  if (rows_learn(kind())) leave_to_copy();
  const at::Tensor here = queued_copy(rows, options_.device);
  shard_.rows.vectors.index_copy_(0, here, vectors.detach().to(options_.device, options_.dtype));
  if (rows_learn(kind())) rest(here);
  if (labels.defined()) shard_.rows.labels.index_copy_(0, here, queued_copy(labels, options_.device));
  write_step(rows, step);
}

void Bank::write_step(const at::Tensor& rows, std::int64_t step) {
  const auto* row = rows.const_data_ptr<std::int64_t>();
  auto* steps = shard_.steps.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    count_written(steps[row[i]], -1);
    count_written(step, 1);
    steps[row[i]] = step;
  }
}

at::Tensor Bank::rows_with_ids(const at::Tensor& ids) const {
  if (kind() == BankKind::kQueue) return index_.find(ids);
  if (kind() == BankKind::kLearned) return at::empty({0, 2}, at::kLong);
  const Range own = share(options_.rows, layout_.ranks(), rank_);
  const at::Tensor host = ids.to(at::kCPU, at::kLong);
  const at::Tensor asked = ((host >= own.begin) & (host < own.end)).nonzero().squeeze(1);
  return at::stack({asked, host.index_select(0, asked) - own.begin}, 1);
}

std::vector<std::int64_t> Bank::rows_before(std::int64_t oldest_step) const {
  std::vector<std::int64_t> before;
  const auto* step = shard_.steps.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < shard_.steps.numel(); ++row) {
    if (step[row] >= 0 && step[row] < oldest_step) before.push_back(row);
  }
  return before;
}

void Bank::count_written(std::int64_t step, std::int64_t rows) {
  if (step < 0) return;
  written_.count += rows;
  written_.step_sum += rows * step;
}

}  // namespace negatron
