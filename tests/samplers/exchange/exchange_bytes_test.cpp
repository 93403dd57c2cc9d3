#include <gtest/gtest.h>

#include "tests/bench/exchange_scene.h"

// What `tests/bench/measure exchanges` counts, with a bound.

namespace negatron {
namespace {

TEST(ExchangeBytes, ShortListsOnFourRanks) {
  const testing::HardSetBytes bytes = testing::measure_hard_sets(4, 8);
  EXPECT_TRUE(bytes.exact);
  EXPECT_GE(bytes.full_lists / bytes.received, 2.5) << "fallback rate " << bytes.fallback_rate;
}

TEST(ExchangeBytes, ShortListsOnEightRanks) {
  const testing::HardSetBytes bytes = testing::measure_hard_sets(8, 8);
  EXPECT_TRUE(bytes.exact);
  EXPECT_GE(bytes.full_lists / bytes.received, 5.0) << "fallback rate " << bytes.fallback_rate;
}

TEST(ExchangeBytes, MixesWithoutFetching) {
  const testing::MixBytes bytes = testing::measure_mixes(4, 8);
  EXPECT_GE(bytes.fetch / bytes.no_fetch, 15.0) << bytes.fetch << " and " << bytes.no_fetch << " bytes a query";
}

}  // namespace
}  // namespace negatron
