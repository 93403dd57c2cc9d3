#include "samplers/exchange/ranking/slot_draws.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

/// [Q, m] int64 on the device of query_index, each query from a stream of its own.
at::Tensor draw(const SelectionOrder& order, const at::Tensor& query_index, std::int64_t m,
                const std::function<std::int64_t(CounterRng&)>& next) {
  const at::Tensor host = query_index.to(at::kCPU, at::kLong).contiguous();
  const auto* query = host.const_data_ptr<std::int64_t>();
  at::Tensor slots = at::empty({host.numel(), m}, at::kLong);
  auto* slot = slots.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < host.numel(); ++i) {
    CounterRng random(order.seed, order.purpose, static_cast<std::uint64_t>(order.step),
                      static_cast<std::uint64_t>(query[i]));
    for (std::int64_t k = 0; k < m; ++k) *slot++ = next(random);
  }
  return slots.to(query_index.device());
}

}  // namespace

at::Tensor draw_uniform_slots(const SelectionOrder& order, const at::Tensor& query_index, std::int64_t m,
                              std::int64_t filled) {
  if (filled == 0) return at::full({query_index.size(0), m}, -1, query_index.options());
  return draw(order, query_index, m, [filled](CounterRng& random) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(filled)));
  });
}

at::Tensor draw_weighted_slots(const SelectionOrder& order, const at::Tensor& query_index, std::int64_t m,
                               const at::Tensor& weights) {
  const at::Tensor host = weights.to(at::kCPU, at::kDouble).contiguous();
  const auto* weight = host.const_data_ptr<double>();
  std::vector<double> up_to(static_cast<std::size_t>(host.numel()));
  double total = 0.0;
  std::size_t last = 0;  // behind the last slot that can be drawn
  for (std::size_t slot = 0; slot < up_to.size(); ++slot) {
    if (!(weight[slot] >= 0.0)) throw std::invalid_argument("draw_weighted_slots: a weight is negative or no number");
    up_to[slot] = total += weight[slot];
    if (weight[slot] > 0.0) last = slot + 1;
  }
  if (last == 0 || !std::isfinite(total)) {
    throw std::invalid_argument("draw_weighted_slots: the weights must have a finite sum above 0");
  }
  const auto begin = up_to.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(last) - 1;
  // Where u times the total rounds up to the total, the search ends at the last slot that can be drawn.
  return draw(order, query_index, m, [&](CounterRng& random) {
    return static_cast<std::int64_t>(std::upper_bound(begin, end, random.uniform() * total) - begin);
  });
}

}  // namespace negatron
