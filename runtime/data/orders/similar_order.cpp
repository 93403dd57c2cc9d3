#include "runtime/data/orders/similar_order.h"

#include <algorithm>
#include <map>
#include <vector>

#include "comm/share.h"
#include "runtime/data/orders/epoch_order.h"
#include "samplers/pass/selection/selection_key.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

constexpr std::int64_t kBatchesBetweenPauses = 32;

/// Samples that no batch has yet, each rank's own ones by how much they are like one of them.
class LeftOver {
 public:
  LeftOver(Communicator& comm, const at::Tensor& own_rows, std::int64_t count)
      : comm_(comm),
        sizes_(share_sizes(count, comm.size())),
        own_(share(count, comm.size(), comm.rank())),
        rows_(own_rows.to(at::kDouble)),
        samples_(at::arange(own_.begin, own_.end, at::kLong)),
        taken_(at::zeros({own_.size()}, at::kBool)) {}

  void take(std::int64_t sample) {
    if (sample >= own_.begin && sample < own_.end) taken_[sample - own_.begin] = true;
  }

  /// The `most` samples left over that are most like `sample`, best first. Collective.
  at::Tensor most_like(std::int64_t sample, std::int64_t most) const {
    at::Tensor row = at::zeros({rows_.size(1)}, at::kDouble);
    if (sample >= own_.begin && sample < own_.end) row.copy_(rows_[sample - own_.begin]);
    comm_.broadcast(row, owner_of(sample));
    at::Tensor keys = selection_keys(rows_.mv(row), samples_).masked_fill_(taken_, kAfterAllKeys);
    at::Tensor best = at::full({1, most}, kAfterAllKeys, at::kLong);
    const std::int64_t here = std::min(most, own_.size());
    best[0].narrow(0, 0, here).copy_(std::get<0>(keys.topk(here, 0, /*largest=*/false)));
    const std::vector<std::int64_t> one_each(sizes_.size(), 1);
    const at::Tensor all = comm_.all_gather(best, one_each).flatten();
    return slots_of_keys(std::get<0>(all.topk(most, 0, /*largest=*/false)));
  }

 private:
  int owner_of(std::int64_t sample) const {
    int owner = 0;
    for (std::int64_t end = sizes_.front(); end <= sample; end += sizes_[static_cast<std::size_t>(owner)]) ++owner;
    return owner;
  }

  Communicator& comm_;
  std::vector<std::int64_t> sizes_;
  Range own_;
  at::Tensor rows_;
  at::Tensor samples_;
  at::Tensor taken_;
};

}  // namespace

// Example: 7 samples, batches of 3 of which half the rest, one sample, is chosen. In the random order 4 0 6 2 5 1 3 the
// first batch begins with 4; let 5 be most like it, then 0 fills it: 4 5 0. The next begins with 6, and so on; 3, which
// is left, is a batch that is not full.
at::Tensor similar_order(Communicator& comm, const at::Tensor& own_rows, std::int64_t count,
                         const SimilarBatches& batches, const std::function<void()>& pause) {
  const at::NoGradGuard no_grad;
  const at::Tensor random = epoch_order(count, batches.seed, batches.epoch);
  const auto* next = random.const_data_ptr<std::int64_t>();
  const auto* const end = next + count;
  std::vector<bool> taken(static_cast<std::size_t>(count), false);
  LeftOver left(comm, own_rows, count);
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(count));
  const auto take = [&](std::int64_t sample) {
    taken[static_cast<std::size_t>(sample)] = true;
    left.take(sample);
    order.push_back(sample);
  };
  const auto take_random = [&] {
    while (next != end && taken[static_cast<std::size_t>(*next)]) ++next;
    take(*next);
  };
  for (std::int64_t begin = 0; begin < count; begin += batches.global_batch) {
    if (pause && begin / batches.global_batch % kBatchesBetweenPauses == 0) pause();
    const std::int64_t size = std::min(batches.global_batch, count - begin);
    take_random();
    const auto similar = static_cast<std::int64_t>(batches.similar * static_cast<double>(size - 1));
    if (similar > 0) {
      const at::Tensor chosen = left.most_like(order.back(), similar);
      for (std::int64_t i = 0; i < similar; ++i) take(chosen.const_data_ptr<std::int64_t>()[i]);
    }
    while (static_cast<std::int64_t>(order.size()) < begin + size) take_random();
  }
  // The last batches are of what was left over, and so the least alike: they must not all be met at the end.
  const at::Tensor all = at::tensor(order, at::kLong);
  const std::int64_t whole = count / batches.global_batch;
  const at::Tensor places = random_permutation(
      whole, CounterRng(batches.seed, Purpose::kBatchOrder, static_cast<std::uint64_t>(batches.epoch), 0));
  const std::int64_t in_whole = whole * batches.global_batch;
  const at::Tensor full = all.narrow(0, 0, in_whole).view({whole, batches.global_batch}).index_select(0, places);
  return at::cat({full.flatten(), all.narrow(0, in_whole, count - in_whole)});
}

double same_label_share(const at::Tensor& order, const at::Tensor& labels, std::int64_t global_batch) {
  const at::Tensor in_order = labels.index_select(0, order);
  const auto* label = in_order.const_data_ptr<std::int64_t>();
  double same = 0.0;
  double pairs = 0.0;
  for (std::int64_t begin = 0; begin < order.size(0); begin += global_batch) {
    const std::int64_t end = std::min(begin + global_batch, order.size(0));
    std::map<std::int64_t, double> counts;
    for (std::int64_t i = begin; i < end; ++i) {
      if (label[i] >= 0) counts[label[i]] += 1.0;
    }
    for (const auto& [one, times] : counts) same += times * (times - 1.0);
    const auto size = static_cast<double>(end - begin);
    pairs += size * (size - 1.0);
  }
  return pairs > 0.0 ? same / pairs : 0.0;
}

}  // namespace negatron
