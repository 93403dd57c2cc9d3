#include "runtime/data/orders/epoch_order.h"

#include <stdexcept>
#include <utility>

namespace negatron {

at::Tensor random_permutation(std::int64_t count, CounterRng random) {
  if (count < 0) throw std::invalid_argument("A permutation needs a count of at least 0.");
  at::Tensor order = at::arange(count, at::kLong);
  auto* entries = order.mutable_data_ptr<std::int64_t>();
  // Fisher and Yates: each entry from the back changes places with one at or before it, so all orders are equally
  // likely.
  for (std::int64_t last = count - 1; last > 0; --last) {
    const auto chosen = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
    std::swap(entries[last], entries[chosen]);
  }
  return order;
}

// Every rank draws the whole order by itself, from seed and epoch alone: nothing is communicated, and nothing is
// saved.
at::Tensor epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  return random_permutation(count, CounterRng(seed, Purpose::kEpochOrder, static_cast<std::uint64_t>(epoch), 0));
}

}  // namespace negatron
