#include "runtime/data/orders/epoch_order.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(EpochOrder, IsAPermutation) {
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    const at::Tensor order = epoch_order(count, 7, 3);
    EXPECT_TRUE(std::get<0>(order.sort()).equal(at::arange(count, at::kLong))) << count;
  }
}

TEST(EpochOrder, DependsOnSeedAndEpochAndNothingElse) {
  const at::Tensor order = epoch_order(1000, 7, 3);
  EXPECT_TRUE(order.equal(epoch_order(1000, 7, 3)));
  EXPECT_FALSE(order.equal(epoch_order(1000, 7, 4)));
  EXPECT_FALSE(order.equal(epoch_order(1000, 8, 3)));
  EXPECT_FALSE(order.equal(at::arange(1000, at::kLong)));
}

TEST(EpochOrder, EveryOrderOfThreeIsAsLikely) {
  std::map<std::string, int> seen;
  constexpr int kDraws = 6000;
  for (int epoch = 0; epoch < kDraws; ++epoch) {
    std::string key;
    const at::Tensor order = epoch_order(3, 1, epoch);
    for (int i = 0; i < 3; ++i) key += std::to_string(order[i].item<std::int64_t>());
    ++seen[key];
  }
  EXPECT_EQ(seen.size(), 6U);
  // Five standard deviations of a binomial count: sqrt(6000 * 1/6 * 5/6) = 29.
  for (const auto& [key, count] : seen) EXPECT_NEAR(count, kDraws / 6, 5 * 29) << key;
}

}  // namespace
}  // namespace negatron::testing
