#include "samplers/exchange/mixes/bank_clusters.h"

#include <set>
#include <vector>

#include <ATen/core/grad_mode.h>

#include "samplers/bank/row_sums.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

/// So many different slots below `filled`, a function of (seed, step, stream).
std::vector<std::int64_t> draw_slots(std::int64_t count, std::int64_t filled, std::uint64_t seed, std::int64_t step,
                                     std::uint64_t stream) {
  CounterRng random(seed, Purpose::kClusterStart, static_cast<std::uint64_t>(step), stream);
  std::set<std::int64_t> seen;
  std::vector<std::int64_t> slots;
  while (static_cast<std::int64_t>(slots.size()) < count) {
    const auto slot = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(filled)));
    if (seen.insert(slot).second) slots.push_back(slot);
  }
  return slots;
}

/// [m, d] fp64 rows of these slots. Collective.
at::Tensor rows_of(Communicator& comm, const Bank& bank, const std::vector<std::int64_t>& slots) {
  const at::Tensor asked = at::tensor(slots, at::kLong).to(bank.shard().rows.vectors.device()).unsqueeze(0);
  const FetchedRows fetched = fetch_rows(comm, bank, asked);
  return fetched.rows.index_select(0, fetched.index.select(0, 0)).to(at::kDouble);
}

/// [m] positions of the leaf's rows that may score, from the start of the shard.
at::Tensor valid_rows(const Rows& rows, const Leaf& leaf) {
  const at::TensorOptions options = at::TensorOptions(at::kLong).device(rows.vectors.device());
  if (leaf.valid == leaf.size()) return at::arange(leaf.begin, leaf.end, options);
  return (rows.validity.narrow(0, leaf.begin, leaf.size()) == 0.0).nonzero().squeeze(1) + leaf.begin;
}

}  // namespace

void BankClusters::follow(Communicator& comm, const Bank& bank, std::int64_t clusters, std::uint64_t seed,
                          std::int64_t step) {
  const at::NoGradGuard no_grad;
  const bool start = !centroids_.defined() || centroids_.size(0) != clusters;
  if (!start && step - last_round_ < kStepsBetween) return;
  if (bank.filled() < clusters) return;
  last_round_ = step;
  if (start) centroids_ = rows_of(comm, bank, draw_slots(clusters, bank.filled(), seed, step, 0));
  // Streams are numbered from 1: 0 has been used for the start.
  for (int round = 1; round <= (start ? kFirstRounds : 1); ++round) {
    this->round(comm, bank, seed, static_cast<std::uint64_t>(round));
  }
}

void BankClusters::round(Communicator& comm, const Bank& bank, std::uint64_t seed, std::uint64_t stream) {
  const Rows& rows = bank.shard().rows;
  const std::int64_t width = bank.width();
  // The last column counts.
  const at::Tensor sums = at::zeros({centroids_.size(0), width + 1}, centroids_.options());
  for (const Leaf& leaf : rows.leaves) {
    if (leaf.valid == 0) continue;
    const at::Tensor own = rows.vectors.index_select(0, valid_rows(rows, leaf)).to(at::kDouble);
    add_in_order(sums, nearest(own), at::cat({own, at::ones({own.size(0), 1}, own.options())}, 1));
  }
  comm.all_reduce(sums, ReduceOp::kSum);

  const at::Tensor means = sums.narrow(1, 0, width);
  const at::Tensor norms = means.norm(2, 1, true);  // [C, 1]
  const at::Tensor empty = (sums.select(1, width) == 0.0).logical_or_(norms.squeeze(1) == 0.0);
  const at::Tensor lost = empty.nonzero().squeeze(1);
  centroids_ = means / norms.clamp_min(1e-30);
  if (lost.size(0) == 0) return;
  centroids_.index_copy_(0, lost,
                         rows_of(comm, bank, draw_slots(lost.size(0), bank.filled(), seed, last_round_, stream)));
}

at::Tensor BankClusters::nearest(const at::Tensor& vectors) const {
  if (!centroids_.defined()) {
    return at::full({vectors.size(0)}, kNoCluster, vectors.options().dtype(at::kLong));
  }
  // Rounded as selection keys are, so that equal centroids tie whatever the shape of the product.
  return vectors.to(at::kDouble).mm(centroids_.t()).to(at::kFloat).argmax(1);
}

void BankClusters::restore(const at::Tensor& centroids, std::int64_t last_round) {
  centroids_ = centroids;
  last_round_ = last_round;
}

}  // namespace negatron
