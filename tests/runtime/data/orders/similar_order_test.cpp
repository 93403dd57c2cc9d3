#include "runtime/data/orders/similar_order.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/data/orders/epoch_order.h"
#include "samplers/bank/random_rows.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kOrdered = 53;
constexpr std::uint64_t kOrderSeed = 4;

/// Clusters of seven, and samples that are equal.
at::Tensor rows_to_order() {
  const at::Tensor centres = random_unit_rows(1, 0, 8, 6).to(at::kDouble);
  const at::Tensor noise = random_unit_rows(2, 0, kOrdered, 6).to(at::kDouble);
  at::Tensor rows = centres.index_select(0, at::arange(kOrdered, at::kLong).remainder(8)) + 0.4 * noise;
  rows[9].copy_(rows[17]);
  rows[25].copy_(rows[17]);
  return rows / rows.norm(2, {1}, true);
}

at::Tensor order_on(int ranks, const at::Tensor& rows, const SimilarBatches& batches) {
  at::Tensor order;
  run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Range own = share(kOrdered, comm.size(), comm.rank());
    const at::Tensor found =
        similar_order(comm, rows.slice(0, own.begin, own.end), kOrdered, batches, [&comm] { comm.barrier(); });
    const at::Tensor first = found.clone();
    comm.broadcast(first, 0);
    EXPECT_TRUE(found.equal(first));
    if (comm.rank() == 0) order = found;
  });
  return order;
}

TEST(SimilarOrder, HasEverySampleOnceAndIsTheSameOnAnyNumberOfRanks) {
  const at::Tensor rows = rows_to_order();
  for (const double similar : {0.0, 0.3, 1.0}) {
    SimilarBatches batches{8, similar, kOrderSeed, 2};
    const at::Tensor alone = order_on(1, rows, batches);
    EXPECT_TRUE(std::get<0>(alone.sort()).equal(at::arange(kOrdered, at::kLong)));
    for (const int ranks : {2, 3, 4}) EXPECT_TRUE(order_on(ranks, rows, batches).equal(alone)) << similar;
    batches.epoch = 3;
    EXPECT_FALSE(order_on(1, rows, batches).equal(alone));
  }
}

/// By the definition, one sample at a time.
TEST(SimilarOrder, FillsABatchWithWhatIsMostLikeItsFirstSample) {
  const at::Tensor rows = rows_to_order();
  const at::Tensor scores = rows.mm(rows.t()).to(at::kFloat);
  const SimilarBatches batches{8, 0.5, kOrderSeed, 1};
  constexpr std::int64_t kChosen = 3;  // half of the seven others, rounded down
  const at::Tensor random = epoch_order(kOrdered, kOrderSeed, 1);
  std::vector<std::int64_t> left;
  for (std::int64_t i = 0; i < kOrdered; ++i) left.push_back(random[i].item<std::int64_t>());
  std::vector<std::vector<std::int64_t>> expected;
  while (static_cast<std::int64_t>(left.size()) >= batches.global_batch) {
    std::vector<std::int64_t> batch{left.front()};
    left.erase(left.begin());
    for (std::int64_t i = 0; i < kChosen; ++i) {
      const auto best = std::max_element(left.begin(), left.end(), [&](std::int64_t a, std::int64_t b) {
        const auto of = [&](std::int64_t s) { return scores[batch.front()][s].item<float>(); };
        return of(a) != of(b) ? of(a) < of(b) : a > b;
      });
      batch.push_back(*best);
      left.erase(best);
    }
    while (static_cast<std::int64_t>(batch.size()) < batches.global_batch) {
      batch.push_back(left.front());
      left.erase(left.begin());
    }
    expected.push_back(batch);
  }
  const at::Tensor order = order_on(2, rows, batches);
  std::vector<std::vector<std::int64_t>> found;
  for (std::int64_t begin = 0; begin + batches.global_batch <= kOrdered; begin += batches.global_batch) {
    const auto* ids = order.const_data_ptr<std::int64_t>() + begin;
    found.emplace_back(ids, ids + batches.global_batch);
  }
  // Batches come in another order.
  EXPECT_NE(found, expected);
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(found, expected);
}

TEST(SameLabelShare, CountsPairsWithinBatches) {
  // Batches 0 1 2 and 3 4: two of three ordered pairs times two, of 6 and 2 pairs.
  const at::Tensor labels = at::tensor({0, 0, 1, -1, -1}, at::kLong);
  EXPECT_DOUBLE_EQ(same_label_share(at::arange(5, at::kLong), labels, 3), 2.0 / 8.0);
  EXPECT_DOUBLE_EQ(same_label_share(at::tensor({0, 2, 3, 1, 4}, at::kLong), labels, 3), 0.0);
}

}  // namespace
}  // namespace negatron::testing
