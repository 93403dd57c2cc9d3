#include "samplers/negative_samplers/popularity.h"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

TEST(Popularity, UnigramPowerNeverDrawsWhatNeverOccurs) {
  const at::Tensor p = unigram_probabilities(at::tensor({16, 0, 1}, at::kLong), 0.75);
  EXPECT_TRUE(at::allclose(p, at::tensor({8.0 / 9.0, 0.0, 1.0 / 9.0}, at::kDouble)));
  EXPECT_EQ(unigram_probabilities(at::tensor({16, 0, 1}, at::kLong), 0.0)[1].item<double>(), 0.0);
  EXPECT_THROW(unigram_probabilities(at::zeros({3}), 0.75), std::invalid_argument);
  EXPECT_THROW(unigram_probabilities(at::tensor({1, -1}, at::kLong), 0.75), std::invalid_argument);
}

TEST(Popularity, RanksTiesInSlotOrder) {
  const at::Tensor p = popularity_rank_probabilities(at::tensor({1, 7, 7, 0}, at::kLong), 2.0);
  const double sum = std::exp(-0.5) + std::exp(-1.0) + std::exp(-1.5) + std::exp(-2.0);
  const at::Tensor expected = at::tensor({-1.5, -0.5, -1.0, -2.0}, at::kDouble).exp() / sum;
  EXPECT_TRUE(at::allclose(p, expected, 1e-13, 0.0)) << p;
  // A bank so long that exp(-rank / lambda) of its ends underflows still has a distribution.
  EXPECT_NEAR(popularity_rank_probabilities(at::ones({100000}), 1.0).sum().item<double>(), 1.0, 1e-12);
  EXPECT_THROW(popularity_rank_probabilities(at::ones({3}), 0.0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
