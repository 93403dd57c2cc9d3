// What a Bank does for rows that are trained (BANK.md 7, 9).

#include <algorithm>
#include <string>

#include <ATen/core/grad_mode.h>

#include "comm/require.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Rows that take their step together on a CPU, so that what is computed of them stays in its cache.
constexpr std::int64_t kRowsTogether = 1024;

}  // namespace

void Bank::train(const GradientOfRows& gradient, const RowOptimizer& optimizer, std::int64_t step) {
  const at::NoGradGuard no_grad;
  require(rows_learn(kind()), "Bank::train: the rows of this bank are not trained");
  require(optimizer.kind == options_.row_optimizer, "Bank::train: rows remember what another optimizer goes by");
  const std::int64_t rows = shard_.rows.vectors.size(0);
  const std::int64_t met = gradient.rows.defined() ? gradient.rows.size(0) : rows;
  require(gradient.values.defined() && gradient.values.dim() == 2 && gradient.values.is_floating_point() &&
              gradient.values.size(0) == met && gradient.values.size(1) == options_.width,
          "Bank::train: the gradient must be floating and [" + std::to_string(met) + ", " +
              std::to_string(options_.width) + "], as the rows that it is of");
  leave_to_copy();
  if (!moves_unmet_rows(optimizer)) {
    train_met(of_met_rows(gradient), optimizer, step);
    return;
  }
  const at::Tensor values = of_all_rows(gradient, rows);
  const std::int64_t together = values.is_cpu() ? kRowsTogether : std::max<std::int64_t>(rows, 1);
  for (std::int64_t begin = 0; begin < rows; begin += together) {
    const auto some = [&](const at::Tensor& all) { return all.narrow(0, begin, std::min(together, rows - begin)); };
    const at::Tensor raw = some(shard_.raw);
    step_rows(optimizer, raw, some(shard_.moments),
              by_raw_rows(some(values).to(raw.scalar_type()), raw, options_.length));
    some(shard_.rows.vectors).copy_(scored_rows(raw, options_.length));
  }
  shard_.steps.fill_(step);
  written_ = {};
  count_written(step, rows);
}

void Bank::train_met(const GradientOfRows& gradient, const RowOptimizer& optimizer, std::int64_t step) {
  const std::int64_t met = gradient.rows.size(0);
  const std::int64_t together = gradient.rows.is_cpu() ? kRowsTogether : std::max<std::int64_t>(met, 1);
  for (std::int64_t begin = 0; begin < met; begin += together) {
    const auto some = [&](const at::Tensor& all) { return all.narrow(0, begin, std::min(together, met - begin)); };
    const at::Tensor rows = some(gradient.rows);
    const at::Tensor raw = shard_.raw.index_select(0, rows);
    const at::Tensor moments = shard_.moments.index_select(0, rows);
    step_rows(optimizer, raw, moments, by_raw_rows(some(gradient.values).to(raw.scalar_type()), raw, options_.length));
    shard_.raw.index_copy_(0, rows, raw);
    shard_.moments.index_copy_(0, rows, moments);
    shard_.rows.vectors.index_copy_(0, rows, scored_rows(raw, options_.length).to(options_.dtype));
  }
  write_step(gradient.rows.cpu(), step);
}

void Bank::rest(const at::Tensor& rows) {
  const at::Tensor set = vectors_of_rows(shard_.rows.vectors, options_.length).index_select(0, rows);
  shard_.raw.index_copy_(0, rows, set.to(shard_.raw.scalar_type()));
  shard_.moments.index_fill_(0, rows, 0.0);
}

void Bank::leave_to_copy() {
  const std::shared_ptr<LearnedCopy> copy = learned_copy_.lock();
  if (!copy || !copy->reads(shard_.raw)) return;
  for (at::Tensor* tensor : {&shard_.rows.vectors, &shard_.rows.labels, &shard_.steps, &shard_.raw, &shard_.moments}) {
    *tensor = tensor->clone();
  }
}

}  // namespace negatron
