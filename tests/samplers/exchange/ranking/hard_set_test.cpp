#include "samplers/exchange/ranking/hard_set.h"

#include <string>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/pass/device_pass.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

using testing::bytes_received;
using testing::make_scene;
using testing::Scene;

constexpr std::int64_t kWidth = 8;

const Pass& shard_pass() {
  static const DevicePass pass;
  return pass;
}

/// All rows in the order of slots, and queries.
struct Rows64 {
  at::Tensor rows;     // [K, d]
  at::Tensor queries;  // [Q, d]
};

/// A bank of one batch: rank r holds the r-th share of the rows.
Bank bank_of(const at::Tensor& rows, const Communicator& comm) {
  Bank bank({rows.size(0), kWidth, at::kDouble, at::kCPU, BankFill::kEmpty, 0, rows.size(0)}, comm.rank(), comm.size());
  const at::Tensor own = testing::part(rows, comm);
  bank.enqueue(own, at::full({own.size(0)}, -1, at::kLong), at::Tensor(), 0, rows.size(0));
  return bank;
}

/// Rows sorted by how near they are to one direction, and queries near it: one shard holds all hard rows.
Rows64 sorted_by_content(std::int64_t rows, std::int64_t queries) {
  const at::Tensor all = random_unit_rows(3, 0, rows, kWidth);
  const at::Tensor direction = random_unit_rows(4, 0, 1, kWidth);
  const at::Tensor order = std::get<1>(all.mv(direction[0]).sort(0, /*descending=*/true));
  const at::Tensor near = direction + 0.01 * random_unit_rows(5, 0, queries, kWidth);
  return {all.index_select(0, order), near / near.norm(2, 1, true)};
}

at::Tensor plain_hardest(const Rows64& data, std::int64_t n) {
  Rows rows;
  rows.vectors = data.rows;
  rows.slots = at::arange(data.rows.size(0), at::kLong);
  Candidates candidates;
  candidates.queries = data.queries;
  return testing::plain_best_keys(rows, candidates, SelectionOrder{}, n);
}

/// `known` of the shard's best rows are found beforehand, where it is above 0.
HardSets find(Communicator& comm, HardSetSearch& search, const Bank& bank, const at::Tensor& queries, std::int64_t n,
              std::int64_t known = 0) {
  ShardCandidates shard{bank.shard().rows, {}, {share_sizes(queries.size(0), comm.size()), 0}};
  shard.candidates.queries = queries;
  const at::Tensor best =
      known > 0 ? shard_pass().best(shard.rows, shard.candidates, SelectionOrder{}, known) : at::Tensor();
  return search.find(comm, shard, SelectionOrder{}, n, best);
}

TEST(HardSet, ListLength) {
  EXPECT_EQ(HardSetSearch::list_length(1024, 1, 1e-2), 1024);
  // samplers/exchange/EXCHANGE.md 2 has 161 from the exact tail; Bernstein's bound is a few longer.
  EXPECT_EQ(HardSetSearch::list_length(1024, 8, 1e-2), 172);
  EXPECT_EQ(HardSetSearch::list_length(4, 2, 1e-2), 4);
}

TEST(HardSet, ExactWithFallbackWhereOneShardHoldsAllHardRows) {
  const Rows64 data = sorted_by_content(400, 10);
  constexpr std::int64_t kHardest = 64;
  const at::Tensor expected = plain_hardest(data, kHardest);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const Bank bank = bank_of(data.rows, comm);
      // Also from lists that the caller knows: shorter ones than the search would ask for, and whole ones.
      for (const std::int64_t known : {std::int64_t{0}, std::int64_t{17}, kHardest}) {
        HardSetSearch search(shard_pass());
        const HardSets sets = find(comm, search, bank, data.queries, kHardest, known);
        EXPECT_TRUE(at::equal(sets.keys, testing::part(expected, comm))) << known << " known on " << comm.size();
        EXPECT_TRUE((sets.count == kHardest).all().item<bool>());
        const std::int64_t length = known > 0 ? known : search.list_length(kHardest, comm.size(), 1e-2);
        EXPECT_EQ(search.last_fallback_rate(), length < kHardest ? 1.0 : 0.0);
      }
    });
  }
}

TEST(HardSet, ReceivesTheDocumentedBytes) {
  const Rows64 data = sorted_by_content(400, 10);
  constexpr std::int64_t kHardest = 64;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    run_ranks(ranks, {}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const Bank bank = bank_of(data.rows, comm);
      HardSetSearch search(shard_pass());
      const std::int64_t own = share(10, comm.size(), comm.rank()).size();
      const std::int64_t sent = search.next_list_length(kHardest, comm.size());
      find(comm, search, bank, data.queries, kHardest);
      std::int64_t expected = (comm.size() - 1) * own * sent * 8;
      if (comm.size() > 1) {
        expected += testing::all_reduce_bytes(comm, 1, 8) + (10 - own) * 8 + (comm.size() - 1) * own * 8;
        // The first shard holds all 64 and sent too few.
        if (comm.rank() > 0) expected += own * (kHardest - sent) * 8;
      }
      EXPECT_EQ(bytes_received(comm), expected);
    });
  }
}

TEST(HardSet, ListsGrowWhereFallbacksAreFrequentAndShrinkAgain) {
  const Rows64 data = sorted_by_content(400, 10);
  const at::Tensor spread = random_unit_rows(9, 0, 400, kWidth);
  constexpr std::int64_t kHardest = 64;
  run_ranks(4, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = bank_of(data.rows, comm);
    HardSetSearch search(shard_pass());
    const std::int64_t base = search.next_list_length(kHardest, 4);
    for (int i = 0; i < 20 && search.next_list_length(kHardest, 4) < kHardest; ++i) {
      find(comm, search, bank, data.queries, kHardest);
      comm.agree("list length", std::to_string(search.next_list_length(kHardest, 4)));
    }
    EXPECT_EQ(search.next_list_length(kHardest, 4), kHardest);
    // Whole lists need no second round, nor a vote on it.
    const std::int64_t before = bytes_received(comm);
    find(comm, search, bank, data.queries, kHardest);
    EXPECT_EQ(bytes_received(comm) - before, 3 * share(10, 4, comm.rank()).size() * kHardest * 8);
    HardSetSearch restored(shard_pass());
    restored.restore_stretch(search.stretch());
    EXPECT_EQ(restored.next_list_length(kHardest, 4), search.next_list_length(kHardest, 4));

    const Bank calm = bank_of(spread, comm);
    for (int i = 0; i < 60; ++i) find(comm, search, calm, data.queries, kHardest);
    EXPECT_EQ(search.next_list_length(kHardest, 4), base);
  });
}

TEST(HardSet, TiesGoToTheLowerSlot) {
  // Every row is there ten times, over all shards.
  const Rows64 data{random_unit_rows(3, 0, 12, kWidth).repeat({10, 1}), random_unit_rows(4, 0, 5, kWidth)};
  for (const std::int64_t n : {1, 15, 44, 119, 120, 130}) {
    const at::Tensor expected = plain_hardest(data, n);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      run_ranks(ranks, {}, [&](Communicator& comm) {
        at::set_num_threads(1);
        const Bank bank = bank_of(data.rows, comm);
        HardSetSearch search(shard_pass());
        const HardSets sets = find(comm, search, bank, data.queries, n);
        EXPECT_TRUE(at::equal(sets.keys, testing::part(expected, comm))) << n << " on " << ranks;
        EXPECT_TRUE((sets.count == std::min<std::int64_t>(n, 120)).all().item<bool>());
      });
    }
  }
}

TEST(HardSet, FewerRowsThanWantedInUnequalShards) {
  // All of the few rows are on the first of many ranks, whose list is full but not all that there is.
  const Scene scene = [] {
    Scene some = make_scene(6);
    some.batches = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    some.bank.rows = 200;
    return some;
  }();
  for (const std::int64_t n : {12, 19, 20, 21, 100}) {
    NegativeRequest request;
    request.exclude_own_sample = false;
    request.report_hardest = n;
    testing::expect_plain(scene, request, {ScoreTerm{}});
  }
}

TEST(HardSet, ShardKeysHoldAllMembers) {
  const Rows64 data = sorted_by_content(400, 10);
  constexpr std::int64_t kHardest = 64;
  const at::Tensor expected = plain_hardest(data, kHardest);
  run_ranks(3, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Bank bank = bank_of(data.rows, comm);
    HardSetSearch search(shard_pass());
    const HardSets sets = find(comm, search, bank, data.queries, kHardest);
    const at::Tensor members = (sets.shard_keys <= expected.select(1, kHardest - 1).unsqueeze(1)).sum(1);
    comm.all_reduce(members, ReduceOp::kSum);
    EXPECT_TRUE((members == kHardest).all().item<bool>()) << members;
  });
}

}  // namespace
}  // namespace negatron
