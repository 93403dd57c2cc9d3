#include "samplers/exchange/ranking/slot_draws.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "tests/samplers/exchange/exchange_trial.h"

// Draws follow their distributions: chi-square tests at a level of 1e-6.

namespace negatron {
namespace {

using testing::make_scene;
using testing::Scene;

/// The chi-square value that is exceeded with probability 1e-6 (Wilson and Hilferty's approximation).
double critical_value(double degrees) {
  constexpr double kNormalQuantile = 4.753424;
  const double spread = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1.0 - spread + kNormalQuantile * std::sqrt(spread), 3);
}

/// observed [n] counts, shares [n] that add up to 1; cells of share 0 must be empty.
void expect_distributed(const at::Tensor& observed, const at::Tensor& shares) {
  const at::Tensor expected = shares * observed.sum();
  EXPECT_EQ(observed.masked_select(shares == 0.0).sum().item<std::int64_t>(), 0);
  const at::Tensor cells = shares > 0.0;
  const at::Tensor difference = (observed.to(at::kDouble) - expected).masked_select(cells);
  const double statistic = (difference.square() / expected.masked_select(cells)).sum().item<double>();
  EXPECT_LT(statistic, critical_value(static_cast<double>(cells.sum().item<std::int64_t>() - 1)));
}

SelectionOrder order_of(SelectionOrder::By by, double scale = 1.0) {
  return {by, scale, 11, Purpose::kNegativeDraw, 2};
}

TEST(SlotDraws, UniformOverFilledSlots) {
  const at::Tensor query = at::arange(500, at::kLong);
  const at::Tensor slots = draw_uniform_slots(order_of(SelectionOrder::By::kRandom), query, 200, 37);
  expect_distributed(at::bincount(slots.flatten(), {}, 37), at::full({37}, 1.0 / 37.0, at::kDouble));
  // Queries do not share their numbers, and a query's do not depend on which others there are.
  EXPECT_FALSE(at::equal(slots[0], slots[1]));
  EXPECT_TRUE(at::equal(draw_uniform_slots(order_of(SelectionOrder::By::kRandom), query.narrow(0, 7, 2), 200, 37),
                        slots.narrow(0, 7, 2)));
  EXPECT_TRUE((draw_uniform_slots(order_of(SelectionOrder::By::kRandom), query, 3, 0) == -1).all().item<bool>());
}

/// Draws of one row out of a bank, over many copies of one query: how often each slot is drawn on 3 ranks.
at::Tensor counts_of_one_draw(const Scene& one, const NegativeSet& set, std::int64_t copies) {
  at::Tensor counts;
  run_ranks(3, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    Scene scene = one;
    scene.queries = one.queries.expand({copies, -1}).contiguous();
    scene.positives = scene.ids = scene.labels = at::Tensor();
    const Bank bank = testing::make_bank(scene, comm);
    const QueryBatch batch = testing::make_batch(scene, comm);
    NegativeRequest request;
    request.sets.front() = set;
    // Each query's only row is found again by its score, which no other row has.
    const NegativeResult result = BankExchange().run(comm, bank, batch, request, {ScoreTerm{}});
    EXPECT_TRUE((result.scores.count == 1).all().item<bool>());
    const at::Tensor scores = comm.all_gather(result.scores.max.contiguous(), batch.shares.sizes);
    if (comm.rank() != 0) return;
    const testing::PlainBank plain = testing::make_plain_bank(scene);
    const at::Tensor of_rows = plain.rows.vectors.mv(one.queries[0]);
    const at::Tensor row = (scores.unsqueeze(1) - of_rows.unsqueeze(0)).abs().argmin(1);
    counts = at::bincount(row, {}, of_rows.size(0));
  });
  return counts;
}

/// A bank without equal rows.
Scene scene_without_ties() {
  Scene scene = make_scene(1);
  scene.bank.rows = 8;
  scene.batches = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  return scene;
}

TEST(Draws, UniformOverTheBank) {
  NegativeSet set;
  set.draws = 1;
  set.draw_order = order_of(SelectionOrder::By::kRandom);
  const at::Tensor counts = counts_of_one_draw(scene_without_ties(), set, 20000);
  expect_distributed(counts, at::full({8}, 1.0 / 8.0, at::kDouble));
}

TEST(Draws, UniformInsideAWindow) {
  const Scene scene = scene_without_ties();
  NegativeSet set;
  set.draws = 1;
  set.draw_order = order_of(SelectionOrder::By::kRandom);
  set.first_rank = 2;
  set.last_rank = 7;
  const at::Tensor scores = testing::make_plain_bank(scene).rows.vectors.mv(scene.queries[0]);
  const at::Tensor rank = std::get<1>(std::get<1>(scores.sort(0, /*descending=*/true)).sort());
  const at::Tensor shares = (rank >= 2).logical_and(rank < 7).to(at::kDouble) / 5.0;
  expect_distributed(counts_of_one_draw(scene, set, 20000), shares);
}

TEST(Draws, GumbelFollowsTheSoftmax) {
  const Scene scene = scene_without_ties();
  NegativeSet set;
  set.draws = 1;
  set.draw_order = order_of(SelectionOrder::By::kGumbel, 3.0);
  const at::Tensor scores = testing::make_plain_bank(scene).rows.vectors.mv(scene.queries[0]);
  expect_distributed(counts_of_one_draw(scene, set, 20000), at::softmax(scores * 3.0, 0));
}

}  // namespace
}  // namespace negatron
