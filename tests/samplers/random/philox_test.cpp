#include "samplers/random/philox.h"

#include <cmath>
#include <set>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace negatron {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRng, IsAFunctionOfItsKeyAndOfEveryPartOfIt) {
  const auto first = [](std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index) {
    return CounterRng(seed, purpose, step, index).next_u64();
  };
  const std::uint64_t base = first(7, Purpose::kBankFill, 3, 11);
  EXPECT_EQ(base, first(7, Purpose::kBankFill, 3, 11));
  const std::set<std::uint64_t> all = {base,
                                       first(8, Purpose::kBankFill, 3, 11),
                                       first(7, Purpose::kEpochOrder, 3, 11),
                                       first(7, Purpose::kBankFill, 4, 11),
                                       first(7, Purpose::kBankFill, 3, 12),
                                       first(7, Purpose::kBankFill, 3, 11 + (std::uint64_t{1} << 32))};
  EXPECT_EQ(all.size(), 6u);
  EXPECT_THROW(CounterRng(7, Purpose::kBankFill, std::uint64_t{1} << 32, 0), std::invalid_argument);
}

TEST(CounterRng, DrawsDoNotRepeatAcrossBlocks) {
  CounterRng random(1, Purpose::kAugmentation, 0, 0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.next_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(CounterRng, MomentsOfUniformAndNormal) {
  constexpr int kDraws = 20000;
  CounterRng random(5, Purpose::kInitialization, 0, 0);
  double uniform = 0.0, normal = 0.0, squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u / kDraws;
    const double z = random.normal();
    normal += z / kDraws;
    squares += z * z / kDraws;
  }
  EXPECT_NEAR(uniform, 0.5, 0.01);
  EXPECT_NEAR(normal, 0.0, 0.03);
  EXPECT_NEAR(squares, 1.0, 0.05);
}

TEST(CounterRng, BelowReachesEveryValueEvenly) {
  constexpr int kDraws = 7000;
  CounterRng random(9, Purpose::kEpochOrder, 1, 2);
  std::vector<int> count(7, 0);
  for (int i = 0; i < kDraws; ++i) ++count.at(random.below(7));
  for (const int value : count) EXPECT_NEAR(value, 1000, 150);
  EXPECT_EQ(random.below(1), 0u);
  EXPECT_THROW(random.below(0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
