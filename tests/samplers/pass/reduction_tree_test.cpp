#include "samplers/pass/reduction_tree.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Leaf i of a set of random partials for 5 queries, 2 scales, width 3.
Partial leaf(std::int64_t i) {
  const at::Tensor wave = at::arange(30, at::kFloat).view({2, 5, 3}) * 0.37F + static_cast<float>(i);
  return {wave.select(2, 0).sin() * 9.0F, wave.cos()};
}

Partial tree_of(std::int64_t begin, std::int64_t end) {
  ReductionTree tree;
  for (std::int64_t i = begin; i < end; ++i) tree.push(i, leaf(i));
  return *tree.finish();
}

void expect_same_bits(const Partial& a, const Partial& b) {
  EXPECT_TRUE(at::equal(a.log_sum_exp, b.log_sum_exp));
  EXPECT_TRUE(at::equal(a.mean, b.mean));
}

TEST(Merge, IsTheSoftmaxOfTheUnion) {
  const Partial a{at::full({1, 1}, std::log(3.0), at::kDouble), at::full({1, 1, 1}, 2.0, at::kDouble)};
  const Partial b{at::full({1, 1}, std::log(1.0), at::kDouble), at::full({1, 1, 1}, 6.0, at::kDouble)};
  const Partial both = merge(a, b);
  EXPECT_NEAR(both.log_sum_exp.item<double>(), std::log(4.0), 1e-15);
  EXPECT_NEAR(both.mean.item<double>(), 3.0, 1e-15);
}

TEST(Merge, EmptyIsTheIdentity) {
  const Partial some = leaf(4);
  const Partial empty{at::full({2, 5}, -kInfinity, at::kFloat), at::zeros({2, 5, 3})};
  expect_same_bits(merge(some, empty), some);
  expect_same_bits(merge(empty, some), some);
  expect_same_bits(merge(empty, empty), empty);
}

TEST(Merge, SurvivesLargeLogits) {
  const Partial a{at::full({1, 1}, 1000.0F), at::full({1, 1, 1}, 2.0F)};
  const Partial b{at::full({1, 1}, -1000.0F), at::full({1, 1, 1}, 6.0F)};
  expect_same_bits(merge(a, b), a);
}

// ((0 1)(2 3))((4 5)(6 7)), by hand.
TEST(ReductionTree, HasTheDocumentedShape) {
  const auto pair = [](std::int64_t i) { return merge(leaf(i), leaf(i + 1)); };
  expect_same_bits(tree_of(0, 8), merge(merge(pair(0), pair(2)), merge(pair(4), pair(6))));
  expect_same_bits(tree_of(3, 6), merge(leaf(3), pair(4)));
  expect_same_bits(tree_of(1, 7), merge(merge(leaf(1), pair(2)), merge(pair(4), leaf(6))));
}

TEST(ReductionTree, IsTheSameForAnyPowerOfTwoOfRanks) {
  for (const std::int64_t leaves : {8, 16, 64}) {
    const Partial alone = tree_of(0, leaves);
    for (const std::int64_t ranks : {2, 4, 8}) {
      ReductionTree owner;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        owner.push(rank, tree_of(rank * leaves / ranks, (rank + 1) * leaves / ranks));
      }
      expect_same_bits(*owner.finish(), alone);
    }
  }
}

TEST(ReductionTree, ChainsDifferSoTheShapeMatters) {
  Partial chain = leaf(0);
  for (std::int64_t i = 1; i < 64; ++i) chain = merge(chain, leaf(i));
  EXPECT_FALSE(at::equal(chain.mean, tree_of(0, 64).mean));
  EXPECT_TRUE(at::allclose(chain.mean, tree_of(0, 64).mean, 1e-4, 1e-5));
}

TEST(ReductionTree, SkippedLeavesAreEmptyAndOrderIsChecked) {
  ReductionTree tree;
  EXPECT_FALSE(tree.finish().has_value());
  tree.push(1, leaf(1));
  tree.push(6, leaf(6));
  tree.push(7, leaf(7));
  EXPECT_THROW(tree.push(7, leaf(7)), std::invalid_argument);
  expect_same_bits(*tree.finish(), merge(leaf(1), merge(leaf(6), leaf(7))));
}

}  // namespace
}  // namespace negatron
