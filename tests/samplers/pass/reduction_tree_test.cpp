#include "samplers/pass/reduction_tree.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::expect_same_bits;

const std::vector<ScoreTerm>& terms() {
  static const std::vector<ScoreTerm> both(2);
  return both;
}

/// Leaf i of a set of random log-sum-exps for 5 queries, 2 terms, width 3.
PassResult leaf(std::int64_t i) {
  const at::Tensor wave = at::arange(30, at::kFloat).view({2, 5, 3}) * 0.37F + static_cast<float>(i);
  PassResult result;
  for (std::int64_t term = 0; term < 2; ++term) {
    result.terms.push_back({wave[term].select(1, 0).sin() * 9.0F, wave[term].cos(), {}, {}});
  }
  result.count = at::full({5}, i + 1, at::kLong);
  return result;
}

PassResult merged(const PassResult& left, const PassResult& right) {
  return merge(terms(), left, right);
}

PassResult tree_of(std::int64_t begin, std::int64_t end) {
  ReductionTree tree(terms());
  for (std::int64_t i = begin; i < end; ++i) tree.push(i, leaf(i));
  return *tree.finish();
}

// ((0 1)(2 3))((4 5)(6 7)), by hand.
TEST(ReductionTree, HasTheDocumentedShape) {
  const auto pair = [](std::int64_t i) { return merged(leaf(i), leaf(i + 1)); };
  expect_same_bits(tree_of(0, 8), merged(merged(pair(0), pair(2)), merged(pair(4), pair(6))));
  expect_same_bits(tree_of(3, 6), merged(leaf(3), pair(4)));
  expect_same_bits(tree_of(1, 7), merged(merged(leaf(1), pair(2)), merged(pair(4), leaf(6))));
}

TEST(ReductionTree, IsTheSameForAnyPowerOfTwoOfRanks) {
  for (const std::int64_t leaves : {8, 16, 64}) {
    const PassResult alone = tree_of(0, leaves);
    for (const std::int64_t ranks : {2, 4, 8}) {
      ReductionTree owner(terms());
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        owner.push(rank, tree_of(rank * leaves / ranks, (rank + 1) * leaves / ranks));
      }
      expect_same_bits(*owner.finish(), alone);
    }
  }
}

TEST(ReductionTree, ChainsDifferSoTheShapeMatters) {
  PassResult chain = leaf(0);
  for (std::int64_t i = 1; i < 64; ++i) chain = merged(chain, leaf(i));
  const PassResult tree = tree_of(0, 64);
  EXPECT_FALSE(at::equal(chain.terms[0].gradient, tree.terms[0].gradient));
  EXPECT_TRUE(at::allclose(chain.terms[0].gradient, tree.terms[0].gradient, 1e-4, 1e-5));
}

TEST(ReductionTree, SkippedLeavesAreEmptyAndOrderIsChecked) {
  ReductionTree tree(terms());
  EXPECT_FALSE(tree.finish().has_value());
  tree.push(1, leaf(1));
  tree.push(6, leaf(6));
  tree.push(7, leaf(7));
  EXPECT_THROW(tree.push(7, leaf(7)), std::invalid_argument);
  expect_same_bits(*tree.finish(), merged(leaf(1), merged(leaf(6), leaf(7))));
}

}  // namespace
}  // namespace negatron
