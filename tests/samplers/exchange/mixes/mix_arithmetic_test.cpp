// Mixing rows, and numbering the pairs to mix, without ranks (samplers/exchange/EXCHANGE.md 7 and 8).

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "samplers/bank/random_rows.h"
#include "samplers/exchange/mixes/mixes.h"
#include "samplers/exchange/mixes/pair_numbers.h"

namespace negatron {
namespace {

constexpr std::int64_t kMixWidth = 5;

at::Tensor rows_of(std::uint64_t seed, std::int64_t queries, std::int64_t length) {
  return random_unit_rows(seed, 0, queries * length, kMixWidth).view({queries, length, kMixWidth});
}

at::Tensor products(const at::Tensor& rows, const at::Tensor& queries) {
  return (rows * queries.unsqueeze(1)).sum(2);
}

TEST(Mixes, PairsAreTheNormalisedMix) {
  const at::Tensor queries = random_unit_rows(1, 0, 3, kMixWidth);
  const at::Tensor first = rows_of(2, 3, 7), second = rows_of(3, 3, 7);
  const at::Tensor alpha = at::linspace(0.0, 1.0, 21, at::kDouble).view({3, 7});
  const ListedVectors mixes = mix_pairs(first, second, products(first, queries), products(second, queries), alpha);
  const at::Tensor mixed = alpha.unsqueeze(2) * first + (1.0 - alpha.unsqueeze(2)) * second;
  const at::Tensor expected = mixed / mixed.norm(2, 2, true);
  EXPECT_TRUE(at::allclose(mixes.gradients, expected, 1e-13, 1e-14));
  EXPECT_TRUE(at::allclose(mixes.scores, products(expected, queries), 1e-12, 1e-14));
}

TEST(Mixes, OppositeRowsMixToNothingAndNotToNan) {
  const at::Tensor row = rows_of(2, 1, 1);
  const at::Tensor score = products(row, random_unit_rows(1, 0, 1, kMixWidth));
  const ListedVectors mixes = mix_pairs(row, -row, score, -score, at::full({1, 1}, 0.5, at::kDouble));
  EXPECT_TRUE(at::isfinite(mixes.scores).all().item<bool>());
  EXPECT_TRUE(at::isfinite(mixes.gradients).all().item<bool>());
}

TEST(Mixes, WithTheQueryAttachedAndDetached) {
  const at::Tensor queries = random_unit_rows(1, 0, 3, kMixWidth).requires_grad_(true);
  const at::Tensor rows = rows_of(2, 3, 6);
  const at::Tensor beta = at::linspace(0.0, 0.5, 18, at::kDouble).view({3, 6});
  const ListedVectors detached =
      mix_with_query(queries.detach(), rows, products(rows, queries.detach()), beta, /*attached=*/false);
  const ListedVectors attached =
      mix_with_query(queries.detach(), rows, products(rows, queries.detach()), beta, /*attached=*/true);

  const at::Tensor share = beta.unsqueeze(2);
  const at::Tensor mixed = share * queries.unsqueeze(1) + (1.0 - share) * rows;
  const at::Tensor unit = mixed / mixed.norm(2, 2, true);
  EXPECT_TRUE(at::allclose(detached.gradients, unit.detach(), 1e-13, 1e-14));
  EXPECT_TRUE(at::allclose(detached.scores, products(unit, queries).detach(), 1e-12, 1e-14));
  EXPECT_TRUE(at::equal(attached.scores, detached.scores));
  // Through q everywhere; equal up to a part along q, which normalisation of the query takes away.
  const at::Tensor by_autograd = torch::autograd::grad({products(unit, queries).sum()}, {queries})[0];
  const auto tangential = [&](const at::Tensor& gradient) {
    const at::Tensor q = queries.detach();
    return gradient - (gradient * q).sum(1, true) * q;
  };
  EXPECT_TRUE(at::allclose(tangential(attached.gradients.sum(1)), tangential(by_autograd), 1e-11, 1e-12));
}

TEST(PairNumbers, NumberEveryPairOnce) {
  const std::vector<HardMember> members{{4, 9, 40}, {0, 7, 10}, {4, 2, 20}, {2, 1, 50}, {0, 5, 0}, {4, 3, 30}};
  const PairNumbers distinct(members, true);
  ASSERT_EQ(distinct.pairs(), 8);
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected{{0, 10},  {10, 0},  {20, 30}, {20, 40},
                                                                    {30, 20}, {30, 40}, {40, 20}, {40, 30}};
  for (std::int64_t number = 0; number < distinct.pairs(); ++number) {
    const RowPair pair = distinct.pair(number);
    EXPECT_EQ(std::make_pair(pair.first, pair.second), expected[static_cast<std::size_t>(number)]);
  }
  const PairNumbers any(members, false);
  ASSERT_EQ(any.pairs(), 4 + 1 + 9);
  EXPECT_EQ(any.pair(4).first, 50);
  EXPECT_EQ(any.pair(4).second, 50);
  EXPECT_EQ(PairNumbers({}, true).pairs(), 0);
}

}  // namespace
}  // namespace negatron
