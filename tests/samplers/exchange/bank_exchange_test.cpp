#include "samplers/exchange/bank_exchange.h"

#include <map>
#include <mutex>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/thread_communicator.h"
#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_pass.h"
#include "tests/reference/plain_queue.h"

namespace negatron {
namespace {

/// A bank after some steps and a batch of queries, all given for the whole job.
struct Scene {
  BankOptions bank;
  std::vector<std::int64_t> batches;  // sizes enqueued, one a step
  at::Tensor queries;                 // [Bg, d]
  at::Tensor query_ids;               // [Bg], undefined: no exclusions
  std::vector<double> scales = {5.0};
  bool want_max = true;

  at::Tensor keys(std::int64_t step) const {
    return random_unit_rows(1000 + static_cast<std::uint64_t>(step), 0, batches[static_cast<std::size_t>(step)],
                            bank.width);
  }
  at::Tensor ids(std::int64_t step) const {
    return (at::arange(batches[static_cast<std::size_t>(step)], at::kLong) + step * 3).remainder(7);
  }
};

/// What each rank computed, put together in global order.
struct Outcome {
  PassResult result;
  std::map<int, std::int64_t> bytes_received;
};

Outcome score_on_ranks(const Scene& scene, int ranks) {
  Outcome outcome;
  std::mutex mutex;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const auto part = [&](const at::Tensor& all) {
      const Range own = share(all.size(0), comm.size(), comm.rank());
      return all.narrow(0, own.begin, own.size());
    };
    Bank bank(scene.bank, comm.rank(), comm.size());
    for (std::int64_t step = 0; step < static_cast<std::int64_t>(scene.batches.size()); ++step) {
      bank.enqueue(part(scene.keys(step)), part(scene.ids(step)), at::Tensor(), step,
                   scene.batches[static_cast<std::size_t>(step)]);
    }
    NegativeRequest request{part(scene.queries), at::Tensor(), scene.scales, scene.want_max};
    if (scene.query_ids.defined()) request.exclude_ids = part(scene.query_ids);
    const std::int64_t global_batch = scene.queries.size(0);
    const PassResult own = score_bank(comm, bank, request, global_batch);
    std::int64_t bytes = 0;
    for (const auto& [name, traffic] : comm.traffic().total()) bytes += traffic.bytes_received;

    const std::vector<std::int64_t> shares = share_sizes(global_batch, comm.size());
    PassResult all;
    all.log_sum_exp = comm.all_gather(own.log_sum_exp.t().contiguous(), shares).t();
    all.mean = comm.all_gather(own.mean.transpose(0, 1).contiguous(), shares).transpose(0, 1);
    all.count = comm.all_gather(own.count, shares);
    if (scene.want_max) all.max = comm.all_gather(own.max, shares);
    const std::lock_guard lock(mutex);
    outcome.bytes_received[comm.rank()] = bytes;
    if (comm.rank() == 0) outcome.result = all;
  });
  return outcome;
}

/// The same from one queue on one device, in fp64, by the definition.
PassResult score_plainly(const Scene& scene) {
  testing::PlainQueue queue(scene.bank.rows);
  for (std::int64_t step = 0; step < static_cast<std::int64_t>(scene.batches.size()); ++step) {
    queue.enqueue(scene.keys(step), scene.ids(step), scene.ids(step), step);
  }
  const std::int64_t rows = static_cast<std::int64_t>(queue.entries().size());
  std::vector<std::int64_t> pairs;
  for (std::int64_t query = 0; scene.query_ids.defined() && query < scene.queries.size(0); ++query) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t id = queue.entries()[static_cast<std::size_t>(row)].id;
      if (id == scene.query_ids[query].item<std::int64_t>()) pairs.insert(pairs.end(), {query, row});
    }
  }
  PassRequest request;
  request.queries = scene.queries;
  request.scales = scene.scales;
  request.want_max = true;
  request.exclusions = at::tensor(pairs, at::kLong).view({-1, 2});
  const at::Tensor vectors = rows > 0 ? queue.vectors() : at::zeros({0, scene.bank.width}, at::kDouble);
  return testing::PlainPass().run({vectors, at::Tensor(), {}}, request);
}

Scene make_scene(std::int64_t rows, std::int64_t expected_batch, std::vector<std::int64_t> batches,
                 std::int64_t queries) {
  Scene scene;
  scene.bank = BankOptions{rows, 5, at::kDouble, at::kCPU, BankFill::kEmpty, 1, expected_batch};
  scene.batches = std::move(batches);
  scene.queries = random_unit_rows(77, 0, queries, 5);
  scene.query_ids = at::arange(queries, at::kLong) - 1;
  return scene;
}

void expect_equal_to_plain(const Scene& scene) {
  const PassResult expected = score_plainly(scene);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    SCOPED_TRACE(::testing::Message() << ranks << " ranks");
    const PassResult actual = score_on_ranks(scene, ranks).result;
    EXPECT_TRUE(at::allclose(actual.log_sum_exp, expected.log_sum_exp, 1e-12, 1e-13));
    EXPECT_TRUE(at::allclose(actual.mean, expected.mean, 1e-12, 1e-13));
    EXPECT_TRUE(at::equal(actual.count, expected.count)) << actual.count << expected.count;
    EXPECT_TRUE(at::allclose(actual.max, expected.max, 1e-12, 1e-13));
  }
}

TEST(BankExchange, EqualsOneDeviceWithRaggedBatchesAndHoles) {
  expect_equal_to_plain(make_scene(23, 6, {6, 6, 2, 6, 5, 6, 1}, 6));
}

TEST(BankExchange, EqualsOneDeviceWithFewerQueriesThanRanks) {
  expect_equal_to_plain(make_scene(23, 3, {3, 3}, 3));
  expect_equal_to_plain(make_scene(2, 1, {1, 1, 1}, 1));
}

TEST(BankExchange, EmptyBankAndFullyMaskedQueries) {
  expect_equal_to_plain(make_scene(8, 4, {}, 5));
  // One key, of sample 0: query 1 (sample 0) meets nothing.
  Scene scene = make_scene(8, 4, {1}, 5);
  expect_equal_to_plain(scene);
  EXPECT_EQ(score_on_ranks(scene, 2).result.count[1].item<std::int64_t>(), 0);
}

TEST(BankExchange, TwoScales) {
  Scene scene = make_scene(23, 6, {6, 6, 6, 6, 6}, 7);
  scene.scales = {100.0, 0.0};
  expect_equal_to_plain(scene);
}

TEST(BankExchange, BitwiseTheSameForPowersOfTwoOfRanks) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Scene scene;
    scene.bank = BankOptions{4096, 32, type, at::kCPU, BankFill::kRandom, 1, 64};
    scene.batches = std::vector<std::int64_t>(5, 64);
    scene.queries = random_unit_rows(77, 0, 64, 32).to(type);
    scene.query_ids = at::arange(64, at::kLong);
    scene.scales = {14.0, 5.0};
    const PassResult alone = score_on_ranks(scene, 1).result;
    for (const int ranks : {2, 4}) {
      const PassResult sharded = score_on_ranks(scene, ranks).result;
      EXPECT_TRUE(at::equal(sharded.log_sum_exp, alone.log_sum_exp)) << type << " on " << ranks;
      EXPECT_TRUE(at::equal(sharded.mean, alone.mean)) << type << " on " << ranks;
      EXPECT_TRUE(at::equal(sharded.max, alone.max)) << type << " on " << ranks;
      EXPECT_TRUE(at::equal(sharded.count, alone.count)) << type << " on " << ranks;
    }
    const PassResult cut = score_on_ranks(scene, 3).result;
    const double tolerance = type == at::kFloat ? 1e-6 : 1e-12;
    EXPECT_TRUE(at::allclose(cut.log_sum_exp, alone.log_sum_exp, tolerance));
    EXPECT_TRUE(at::allclose(cut.mean, alone.mean, tolerance, tolerance));
  }
}

TEST(BankExchange, ReceivesTheDocumentedBytes) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const bool want_max : {true, false}) {
      Scene scene = make_scene(23, 6, {6, 6, 2}, 7);
      scene.bank.dtype = type;
      scene.queries = scene.queries.to(type);
      scene.scales = {5.0, 3.0};
      scene.want_max = want_max;
      const auto element = static_cast<std::int64_t>(at::elementSize(type));
      const std::int64_t record = exchange_record_width({scene.queries, scene.query_ids, scene.scales, want_max});
      EXPECT_EQ(record, 2 * (5 + 1) + (want_max ? 1 : 0) + 8 / element);
      for (int ranks = 1; ranks <= 4; ++ranks) {
        for (const auto& [rank, bytes] : score_on_ranks(scene, ranks).bytes_received) {
          const std::int64_t own = share(7, ranks, rank).size();
          EXPECT_EQ(bytes, (7 - own) * (5 * element + 8) + (ranks - 1) * own * record * element);
        }
      }
    }
  }
}

TEST(BankExchange, RefusesQueriesThatAreNotTheShare) {
  run_ranks(2, {}, [](Communicator& comm) {
    const Bank bank(BankOptions{8, 5, at::kFloat, at::kCPU, BankFill::kRandom, 1, 4}, comm.rank(), comm.size());
    NegativeRequest request{at::ones({3, 5}), at::Tensor(), {5.0}, true};
    EXPECT_THROW(score_bank(comm, bank, request, 4), std::invalid_argument);
    request.queries = at::ones({2, 5});
    request.exclude_ids = at::zeros({2}, at::kInt);
    EXPECT_THROW(score_bank(comm, bank, request, 4), std::invalid_argument);
  });
}

}  // namespace
}  // namespace negatron
