#include "samplers/exchange/mixes/bank_clusters.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

constexpr std::int64_t kClusteredRows = 60;
constexpr std::int64_t kClusteredWidth = 16;
constexpr std::int64_t kGroups = 5;

/// Rows close to one of a few directions, in turn.
at::Tensor grouped_rows(std::int64_t first, std::int64_t count) {
  const at::Tensor centres = random_unit_rows(3, 0, kGroups, kClusteredWidth);
  const at::Tensor rows = centres.index_select(0, at::arange(first, first + count, at::kLong).remainder(kGroups)) +
                          0.1 * random_unit_rows(4, first, count, kClusteredWidth);
  return rows / rows.norm(2, 1, true);
}

Bank bank_of(const Communicator& comm, const at::Tensor& rows) {
  Bank bank({kClusteredRows, kClusteredWidth, at::kFloat, at::kCPU, BankFill::kEmpty, 0, rows.size(0)}, comm.rank(),
            comm.size());
  const at::Tensor own = testing::part(rows, comm);
  bank.enqueue(own, at::full({own.size(0)}, -1, at::kLong), at::Tensor(), 0, rows.size(0));
  return bank;
}

TEST(BankClusters, FindGroupsThatLieApart) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    run_ranks(ranks, {}, [](Communicator& comm) {
      const Bank bank = bank_of(comm, grouped_rows(0, kClusteredRows));
      BankClusters clusters;
      // More clusters than groups: none may hold two groups.
      clusters.follow(comm, bank, 2 * kGroups, 7, 0);
      const at::Tensor labels = clusters.nearest(grouped_rows(kClusteredRows, 100));
      for (std::int64_t i = 0; i < 100; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
          const bool alike = labels[i].item<std::int64_t>() == labels[j].item<std::int64_t>();
          EXPECT_TRUE(!alike || i % kGroups == j % kGroups) << i << " and " << j;
        }
      }
      EXPECT_TRUE(at::allclose(clusters.centroids().norm(2, 1), at::ones({2 * kGroups}, at::kDouble)));
    });
  }
}

TEST(BankClusters, NeedAsManyRows) {
  run_ranks(2, {}, [](Communicator& comm) {
    const Bank bank = bank_of(comm, grouped_rows(0, 4));
    BankClusters clusters;
    clusters.follow(comm, bank, 5, 7, 0);
    EXPECT_FALSE(clusters.centroids().defined());
    EXPECT_TRUE((clusters.nearest(grouped_rows(0, 3)) == BankClusters::kNoCluster).all().item<bool>());
    clusters.follow(comm, bank, 4, 7, 0);
    EXPECT_TRUE(clusters.centroids().defined());
  });
}

TEST(BankClusters, FollowTheBankNowAndThenAndContinueFromTheirState) {
  for (const int ranks : {1, 3}) {
    run_ranks(ranks, {}, [](Communicator& comm) {
      const Bank before = bank_of(comm, grouped_rows(0, kClusteredRows));
      const Bank after = bank_of(comm, random_unit_rows(9, 0, kClusteredRows, kClusteredWidth));
      BankClusters clusters;
      clusters.follow(comm, before, kGroups, 7, 3);
      const at::Tensor first = clusters.centroids();
      BankClusters restored;
      restored.restore(first, clusters.last_round());
      clusters.follow(comm, after, kGroups, 7, 3 + BankClusters::kStepsBetween - 1);
      EXPECT_TRUE(at::equal(clusters.centroids(), first)) << "too early";

      const std::int64_t received = testing::bytes_received(comm);
      clusters.follow(comm, after, kGroups, 7, 3 + BankClusters::kStepsBetween);
      EXPECT_FALSE(at::equal(clusters.centroids(), first));
      EXPECT_EQ(testing::bytes_received(comm) - received,
                testing::all_reduce_bytes(comm, kGroups * (kClusteredWidth + 1), 8));
      restored.follow(comm, after, kGroups, 7, 3 + BankClusters::kStepsBetween);
      EXPECT_TRUE(at::equal(restored.centroids(), clusters.centroids()));
    });
  }
}

TEST(BankClusters, AClusterWithoutRowsStartsAnew) {
  run_ranks(3, {}, [](Communicator& comm) {
    const Bank bank = bank_of(comm, grouped_rows(0, kClusteredRows));
    BankClusters clusters;
    clusters.follow(comm, bank, kGroups, 7, 0);
    // Two clusters that no row is nearest to: the opposite of what there is.
    at::Tensor centroids = clusters.centroids().clone();
    centroids.narrow(0, 0, 2).copy_(-centroids.narrow(0, 3, 2));
    clusters.restore(centroids, 0);
    clusters.follow(comm, bank, kGroups, 7, BankClusters::kStepsBetween);
    const at::Tensor counts = at::bincount(clusters.nearest(grouped_rows(0, kClusteredRows)), {}, kGroups);
    EXPECT_TRUE((counts > 0).all().item<bool>()) << counts;
  });
}

}  // namespace
}  // namespace negatron
