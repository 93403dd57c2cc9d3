#include "samplers/exchange/bank_exchange.h"

#include <functional>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

using testing::expect_plain;
using testing::make_scene;
using testing::run_on_ranks;
using testing::Scene;
using testing::usual_terms;

TEST(BankExchange, EqualsOneDeviceWithRaggedBatchesAndHoles) {
  expect_plain(NegativeRequest{});
}

TEST(BankExchange, EqualsOneDeviceWithFewerQueriesThanRanks) {
  for (const std::int64_t queries : {1, 2, 3}) {
    const Scene scene = make_scene(queries);
    expect_plain(scene, {}, usual_terms(scene));
  }
}

TEST(BankExchange, EqualsOneDeviceWithEmptyShards) {
  Scene scene = make_scene(5);
  scene.batches = {1, 1};
  expect_plain(scene, {}, usual_terms(scene));
  scene.batches = {};
  expect_plain(scene, {}, usual_terms(scene));
}

TEST(BankExchange, AQueryThatMeetsNothing) {
  Scene scene = make_scene(5);
  // One key, of sample 0: query 1 (sample 0) meets nothing.
  scene.batches = {1};
  expect_plain(scene, {}, usual_terms(scene));
  EXPECT_EQ(run_on_ranks(scene, {}, usual_terms(scene), 2).result.scores.count[1].item<std::int64_t>(), 0);
}

TEST(BankExchange, BitwiseTheSameForPowersOfTwoOfRanks) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Scene scene = make_scene(64, type);
    scene.bank = BankOptions{4096, 32, type, at::kCPU, BankFill::kRandom, 1, 64};
    scene.batches = std::vector<std::int64_t>(5, 64);
    scene.queries = random_unit_rows(77, 0, 64, 32).to(type);
    scene.positives = at::Tensor();
    const std::vector<ScoreTerm> terms = [&] {
      std::vector<ScoreTerm> some = usual_terms(scene);
      some.resize(3);
      return some;
    }();
    const PassResult alone = run_on_ranks(scene, {}, terms, 1).result.scores;
    for (const int ranks : {2, 4}) {
      const PassResult sharded = run_on_ranks(scene, {}, terms, ranks).result.scores;
      for (std::size_t t = 0; t < terms.size(); ++t) {
        EXPECT_TRUE(at::equal(sharded.terms[t].value, alone.terms[t].value)) << type << " on " << ranks;
        EXPECT_TRUE(at::equal(sharded.terms[t].gradient, alone.terms[t].gradient)) << type << " on " << ranks;
      }
      EXPECT_TRUE(at::equal(sharded.max, alone.max)) << type << " on " << ranks;
      EXPECT_TRUE(at::equal(sharded.count, alone.count)) << type << " on " << ranks;
    }
  }
}

TEST(BankExchange, IdsThatAreKnownAlreadyDoNotTravel) {
  const Scene scene = make_scene();
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const Bank bank = make_bank(scene, comm);
    QueryBatch batch = make_batch(scene, comm);
    std::vector<ScoreTerm> terms(1);
    terms[0].scale = 5.0;
    std::vector<PassResult> results;
    std::vector<std::int64_t> gathered;
    for (const at::Tensor& known : {at::Tensor(), scene.ids}) {
      batch.all_ids = known;
      comm.traffic().start_step();
      results.push_back(BankExchange().run(comm, bank, batch, NegativeRequest{}, terms).scores);
      gathered.push_back(comm.traffic().step().at("all_gather").bytes_received);
    }
    EXPECT_TRUE(at::equal(results[0].terms[0].value, results[1].terms[0].value));
    EXPECT_TRUE(at::equal(results[0].count, results[1].count)) << "own samples are left out alike";
    const std::int64_t others = scene.queries.size(0) - batch.queries.size(0);
    EXPECT_EQ(gathered[0] - gathered[1], others * static_cast<std::int64_t>(sizeof(std::int64_t)));
  });
}

TEST(BankExchange, ReceivesTheDocumentedBytes) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const Scene scene = make_scene(7, type);
    const std::vector<ScoreTerm> terms = usual_terms(scene);
    const auto element = static_cast<std::int64_t>(at::elementSize(type));
    const std::int64_t width = scene.bank.width;
    // Two log-sum-exps and the mean have a vector each, as have both sums but the one that counts; then six values, a
    // slope, a logarithm of weights, the maximum and the count.
    const std::int64_t record = 5 * width + 6 + 1 + 1 + 1 + 8 / element;
    EXPECT_EQ(BankStage::partial_elements(testing::whole_batch(scene), {}, terms), record);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      for (const auto& [rank, bytes] : run_on_ranks(scene, {}, terms, ranks).bytes_received) {
        const std::int64_t own = share(7, ranks, rank).size();
        // The vectors, one offset and the id.
        EXPECT_EQ(bytes, (7 - own) * ((width + 1) * element + 8) + (ranks - 1) * own * record * element);
      }
    }
  }
}

/// What a request receives on each rank beyond that of the whole bank.
void expect_further_bytes(const Scene& scene, const NegativeRequest& request,
                          const std::function<std::int64_t(std::int64_t ranks, std::int64_t own)>& expected) {
  const std::vector<ScoreTerm> terms = usual_terms(scene);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const auto plain = run_on_ranks(scene, {}, terms, ranks).bytes_received;
    for (const auto& [rank, bytes] : run_on_ranks(scene, request, terms, ranks).bytes_received) {
      EXPECT_EQ(bytes - plain.at(rank), expected(ranks, share(scene.queries.size(0), ranks, rank).size())) << ranks;
    }
  }
}

TEST(BankExchange, WindowsReceiveTheDocumentedBytes) {
  const Scene scene = make_scene();
  NegativeRequest request;
  // Lists this short are whole, so there is no vote: lists, then one threshold of each query for each rank.
  request.sets.front().last_rank = 3;
  expect_further_bytes(scene, request,
                       [](std::int64_t ranks, std::int64_t own) { return (ranks - 1) * own * 3 * 8 + (7 - own) * 8; });
  request.sets.front().first_rank = 1;
  request.sets.front().draws = 2;
  expect_further_bytes(scene, request, [](std::int64_t ranks, std::int64_t own) {
    return (ranks - 1) * own * (3 + 2) * 8 + (7 - own) * (2 + 1) * 8;
  });
}

TEST(BankExchange, MixesOnShardsReceiveTheDocumentedBytes) {
  const Scene scene = make_scene();
  NegativeRequest request;
  MixRecipe& recipe = request.mixes.emplace();
  recipe.mode = MixRecipe::Mode::kNoFetch;
  recipe.hard = 4;
  recipe.pairs = 6;
  recipe.query_mixes = 2;
  // Batches of 8, 5, 1 and 3 keys are in the bank.
  constexpr std::int64_t kSizes = 4;
  expect_further_bytes(scene, request, [](std::int64_t ranks, std::int64_t own) {
    const std::int64_t lists = (ranks - 1) * own * 4 * 8;
    const std::int64_t two_more_in_partials = (ranks - 1) * own * 2 * 8;
    return lists + two_more_in_partials + (7 - own) * 8 + (ranks - 1) * own * 2 * kSizes * 8 +
           (7 - own) * (2 * kSizes + 1) * 8;
  });
}

TEST(BankExchange, RefusesWhatDoesNotFit) {
  const Scene scene = make_scene(7);
  const auto refuses = [&](const std::function<void(QueryBatch&, NegativeRequest&)>& spoil) {
    run_ranks(2, {}, [&](Communicator& comm) {
      const Bank bank = testing::make_bank(scene, comm);
      QueryBatch batch = testing::make_batch(scene, comm);
      NegativeRequest request;
      spoil(batch, request);
      BankExchange exchange;
      EXPECT_THROW(exchange.run(comm, bank, batch, request, {ScoreTerm{}}), std::invalid_argument);
      // Nothing was sent.
      EXPECT_EQ(testing::bytes_received(comm), 0);
    });
  };
  refuses([](QueryBatch& batch, NegativeRequest&) { batch.queries = at::ones({9, 6}); });
  refuses([](QueryBatch& batch, NegativeRequest&) { batch.ids = batch.ids.to(at::kInt); });
  refuses([](QueryBatch& batch, NegativeRequest&) { batch.shares.sizes.push_back(0); });
  refuses([](QueryBatch& batch, NegativeRequest& request) {
    batch.labels = at::Tensor();
    request.label_rule = LabelRule::kDifferent;
  });
  refuses([](QueryBatch& batch, NegativeRequest& request) {
    batch.keys = at::Tensor();
    request.sets[0].order.by = SelectionOrder::By::kPositiveScore;
    request.sets[0].last_rank = 3;
  });
  refuses([](QueryBatch&, NegativeRequest& request) { request.sets[0].weight = 0.0; });
  refuses([](QueryBatch&, NegativeRequest& request) { request.row_log_weights = at::ones({1000}); });
  refuses([](QueryBatch&, NegativeRequest& request) {
    request.mixes.emplace();
    request.mixes->hard = 0;
  });
}

}  // namespace
}  // namespace negatron
