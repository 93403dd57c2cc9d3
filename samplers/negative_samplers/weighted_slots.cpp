#include "samplers/negative_samplers/weighted_slots.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "samplers/random/philox.h"

namespace negatron {

WeightedSlots::WeightedSlots(const at::Tensor& weights) {
  const at::Tensor host = weights.to(at::kCPU, at::kDouble).contiguous();
  const auto* weight = host.const_data_ptr<double>();
  ends_.reserve(static_cast<std::size_t>(host.numel()));
  double sum = 0.0;
  for (std::int64_t slot = 0; slot < host.numel(); ++slot) {
    if (!(weight[slot] >= 0.0) || std::isinf(weight[slot])) {
      throw std::invalid_argument("WeightedSlots: weights must be finite and at least 0");
    }
    sum += weight[slot];
    ends_.push_back(sum);
  }
  if (!(sum > 0.0) || std::isinf(sum)) throw std::invalid_argument("WeightedSlots: a weight must be above 0");
}

// Example: weights 2, 0, 1, 1 end at 2, 2, 3, 4. A draw of 0.6 is 2.4 of 4, before the first end above it: slot 2. Slot
// 1 begins and ends at 2, so nothing falls to it.
at::Tensor WeightedSlots::draw(const Bank& bank, const QueryBatch& batch, std::uint64_t seed, std::int64_t m) const {
  const std::int64_t count = batch.queries.size(0);
  const std::int64_t first = batch.shares.begin(bank.rank());
  at::Tensor slots = at::empty({count, m}, at::kLong);
  auto* slot = slots.mutable_data_ptr<std::int64_t>();
  for (std::int64_t query = 0; query < count; ++query) {
    CounterRng random(seed, Purpose::kNegativeDraw, static_cast<std::uint64_t>(batch.step),
                      static_cast<std::uint64_t>(first + query));
    for (std::int64_t i = 0; i < m; ++i) {
      // Below the sum, also where the product is rounded up to it.
      const double place = std::min(random.uniform() * ends_.back(), std::nextafter(ends_.back(), 0.0));
      *slot++ = std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin();
    }
  }
  return slots;
}

at::Tensor WeightedSlots::log_weights(std::int64_t m) const {
  at::Tensor logs = at::zeros({static_cast<std::int64_t>(ends_.size())}, at::kDouble);
  auto* log_weight = logs.mutable_data_ptr<double>();
  double begin = 0.0;
  for (const double end : ends_) {
    const double probability = (end - begin) / ends_.back();
    if (probability > 0.0) *log_weight = -std::log(static_cast<double>(m) * probability);
    ++log_weight;
    begin = end;
  }
  return logs;
}

}  // namespace negatron
