#include "samplers/exchange/ranking/order_statistics.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

using testing::make_scene;
using testing::Scene;

constexpr std::int64_t kDigits = 256;
const std::vector<std::int64_t> kRanks{0, 1, 17, 51, 52, 53, 1000};

Candidates candidates_of(const Scene& scene) {
  Candidates candidates;
  candidates.queries = scene.queries;
  candidates.keys = scene.positives;
  candidates.query_index = at::arange(scene.queries.size(0), at::kLong);
  return candidates;
}

at::Tensor plain_keys_at_ranks(const Scene& scene, const SelectionOrder& order) {
  const testing::PlainBank bank = testing::make_plain_bank(scene);
  const Candidates candidates = candidates_of(scene);
  const at::Tensor best = testing::plain_best_keys(bank.rows, candidates, order, 1001);
  return best.index_select(1, at::tensor(kRanks, at::kLong));
}

/// Checks the keys on 1 to 4 ranks, and that the bytes are the documented ones; returns the rounds on 2 ranks.
std::int64_t expect_keys(const Scene& scene, const SelectionOrder& order) {
  const at::Tensor expected = plain_keys_at_ranks(scene, order);
  std::int64_t rounds_on_two = 0;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const Bank bank = testing::make_bank(scene, comm);
      const at::Tensor keys = keys_at_ranks(comm, bank.shard().rows, candidates_of(scene), order, kRanks);
      EXPECT_TRUE(at::equal(keys, expected)) << ranks << " ranks\n" << keys << "\n" << expected;

      const auto& traffic = comm.traffic().total();
      const std::int64_t rounds = traffic.at("all_reduce").calls;
      const auto wanted = static_cast<std::int64_t>(kRanks.size());
      EXPECT_EQ(traffic.at("all_reduce").bytes_received,
                rounds * testing::all_reduce_bytes(comm, scene.queries.size(0) * wanted * kDigits, 4));
      if (traffic.count("all_gather") > 0) {
        const std::int64_t of_one_key = (comm.size() - 1) * scene.queries.size(0) * wanted * 8;
        EXPECT_LE(traffic.at("all_gather").bytes_received, of_one_key * kGatheredKeys);
        EXPECT_EQ(of_one_key == 0 ? 0 : traffic.at("all_gather").bytes_received % of_one_key, 0);
      }
      if (comm.size() == 2 && comm.rank() == 0) rounds_on_two = rounds;
    });
  }
  return rounds_on_two;
}

TEST(OrderStatistics, EqualAFullSort) {
  for (const std::int64_t queries : {7, 1}) {
    const Scene scene = make_scene(queries);
    EXPECT_LE(expect_keys(scene, SelectionOrder{}), 4);
    SelectionOrder order;
    order.by = SelectionOrder::By::kPositiveScore;
    expect_keys(scene, order);
    order.by = SelectionOrder::By::kRandom;
    order.seed = 5;
    expect_keys(scene, order);
  }
}

TEST(OrderStatistics, TiesAreSettledBySlots) {
  Scene scene = make_scene(3);
  // 53 keys, each equal to one of two.
  scene.batches = std::vector<std::int64_t>(60, 2);
  scene.bank.global_batch = 2;
  const at::Tensor two = scene.keys(0);
  const at::Tensor queries = scene.queries;
  run_ranks(3, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    Bank bank(scene.bank, comm.rank(), comm.size());
    for (std::int64_t step = 0; step < 30; ++step) {
      const at::Tensor keys = testing::part(two, comm);
      bank.enqueue(keys, at::full({keys.size(0)}, -1, at::kLong), at::Tensor(), step, 2);
    }
    Rows whole;
    const std::int64_t head = 60;
    std::vector<std::int64_t> slots;
    std::vector<at::Tensor> rows;
    for (std::int64_t sequence = head - 53; sequence < head; ++sequence) {
      slots.push_back(sequence % 53);
      rows.push_back(two[sequence % 2]);
    }
    whole.vectors = at::stack(rows);
    whole.slots = at::tensor(slots, at::kLong);
    Candidates candidates;
    candidates.queries = queries;
    const at::Tensor best = testing::plain_best_keys(whole, candidates, SelectionOrder{}, 1001);
    const at::Tensor keys = keys_at_ranks(comm, bank.shard().rows, candidates, SelectionOrder{}, kRanks);
    EXPECT_TRUE(at::equal(keys, best.index_select(1, at::tensor(kRanks, at::kLong)))) << keys;
    EXPECT_EQ(comm.traffic().total().at("all_reduce").calls, 8);
  });
}

TEST(OrderStatistics, OfNothing) {
  Scene scene = make_scene(3);
  scene.batches = {};
  run_ranks(2, {}, [&](Communicator& comm) {
    const Bank bank = testing::make_bank(scene, comm);
    const at::Tensor keys = keys_at_ranks(comm, bank.shard().rows, candidates_of(scene), SelectionOrder{}, kRanks);
    EXPECT_TRUE((keys == kAfterAllKeys).all().item<bool>());
  });
}

}  // namespace
}  // namespace negatron
