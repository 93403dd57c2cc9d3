// What a Bank does for rows that are trained (BANK.md 7).

#include <algorithm>
#include <string>

#include "comm/require.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Rows that take their step together on a CPU, so that what is computed of them stays in its cache.
constexpr std::int64_t kRowsTogether = 1024;

}  // namespace

void Bank::ascend(const at::Tensor& gradient, const RowSgd& optimizer, std::int64_t step) {
  const at::NoGradGuard no_grad;
  require(kind() == BankKind::kLearned, "Bank::ascend: only rows of a learned bank are trained");
  require(gradient.sizes() == shard_.rows.vectors.sizes() && gradient.is_floating_point(),
          "Bank::ascend: the gradient must be floating and [" + std::to_string(shard_.rows.vectors.size(0)) + ", " +
              std::to_string(options_.width) + "], as this rank's rows");
  leave_to_copy();
  const std::int64_t rows = gradient.size(0);
  const std::int64_t together = gradient.is_cpu() ? kRowsTogether : std::max<std::int64_t>(rows, 1);
  for (std::int64_t begin = 0; begin < rows; begin += together) {
    const auto some = [&](const at::Tensor& all) { return all.narrow(0, begin, std::min(together, rows - begin)); };
    const at::Tensor raw = some(shard_.raw);
    raise(optimizer, raw, some(shard_.velocity), by_raw_rows(some(gradient).to(raw.scalar_type()), raw));
    some(shard_.rows.vectors).copy_(scored_rows(raw));
  }
  shard_.steps.fill_(step);
  written_ = {};
  count_written(step, rows);
}

void Bank::rest(const at::Tensor& rows) {
  const at::Tensor vectors = shard_.rows.vectors.index_select(0, rows).to(shard_.raw.scalar_type());
  shard_.raw.index_copy_(0, rows, vectors);
  shard_.velocity.index_fill_(0, rows, 0.0);
}

void Bank::leave_to_copy() {
  const std::shared_ptr<LearnedCopy> copy = learned_copy_.lock();
  if (!copy || !copy->reads(shard_.raw)) return;
  for (at::Tensor* tensor : {&shard_.rows.vectors, &shard_.rows.labels, &shard_.steps, &shard_.raw, &shard_.velocity}) {
    *tensor = tensor->clone();
  }
}

}  // namespace negatron
