#include "samplers/exchange/ranking/slot_draws.h"

#include "samplers/random/philox.h"

namespace negatron {

at::Tensor draw_uniform_slots(const SelectionOrder& order, const at::Tensor& query_index, std::int64_t m,
                              std::int64_t filled) {
  if (filled == 0) return at::full({query_index.size(0), m}, -1, query_index.options());
  const at::Tensor host = query_index.to(at::kCPU, at::kLong).contiguous();
  const auto* query = host.const_data_ptr<std::int64_t>();
  at::Tensor slots = at::empty({host.numel(), m}, at::kLong);
  auto* slot = slots.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < host.numel(); ++i) {
    // A stream of its own for each query: which other queries there are does not show in what it draws.
    CounterRng random(order.seed, order.purpose, static_cast<std::uint64_t>(order.step),
                      static_cast<std::uint64_t>(query[i]));
    for (std::int64_t k = 0; k < m; ++k) {
      *slot++ = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(filled)));
    }
  }
  return slots.to(query_index.device());
}

}  // namespace negatron
