#include "samplers/bank/ring_order.h"

#include <algorithm>

namespace negatron {

RingOrder::RingOrder(const BankLayout& layout, int rank) : columns_(layout.columns()) {
  std::int64_t position = 0;
  for (const BankBatch& batch : layout.batches()) {
    const Range own = share(batch.size, layout.ranks(), rank);
    // Only the oldest batch can begin below the floor, where its expired keys are left out. A rank that owns no key of
    // a batch, or none that counts any more, has no run for it, so runs are never empty and positions ascend strictly.
    const std::int64_t first = std::max(own.begin, layout.floor() - batch.start);
    if (first >= own.end) continue;
    Run run;
    run.position = position;
    run.count = own.end - first;
    run.sequence = batch.start + first;
    run.first_row = (first - own.begin) * columns_ + layout.column_of(batch);
    run.step = batch.step;
    runs_.push_back(run);
    position += run.count;
  }
}

std::int64_t RingOrder::position_of(std::int64_t sequence) const {
  const auto run = std::partition_point(runs_.begin(), runs_.end(),
                                        [&](const Run& one) { return one.sequence + one.count <= sequence; });
  if (run == runs_.end()) return size();
  // The number may lie in a gap between two runs, among keys of other ranks: then the next own key is meant.
  return run->position + std::max<std::int64_t>(0, sequence - run->sequence);
}

std::vector<RingOrder::Stretch> RingOrder::stretches(Range positions) const {
  std::vector<Stretch> result;
  auto run = std::partition_point(runs_.begin(), runs_.end(),
                                  [&](const Run& one) { return one.position + one.count <= positions.begin; });
  for (; run != runs_.end() && run->position < positions.end; ++run) {
    // Only the first run can begin before the positions, only the last end behind them.
    const std::int64_t skipped = std::max<std::int64_t>(0, positions.begin - run->position);
    const std::int64_t end = std::min(run->count, positions.end - run->position);
    if (skipped >= end) continue;
    result.push_back({end - skipped, run->sequence + skipped, run->first_row + skipped * columns_, run->step});
  }
  return result;
}

}  // namespace negatron
