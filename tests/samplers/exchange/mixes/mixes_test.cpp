#include "samplers/exchange/mixes/mixes.h"

#include <gtest/gtest.h>

#include "tests/samplers/exchange/exchange_trial.h"

namespace negatron {
namespace {

using testing::expect_plain;
using testing::make_scene;
using testing::Scene;
using testing::usual_terms;

MixRecipe recipe_of(MixRecipe::Mode mode) {
  MixRecipe recipe;
  recipe.mode = mode;
  recipe.hard = 20;
  recipe.pairs = 25;
  recipe.query_mixes = 9;
  recipe.seed = 31;
  recipe.step = 4;
  return recipe;
}

class MixModes : public ::testing::TestWithParam<MixRecipe::Mode> {};
INSTANTIATE_TEST_SUITE_P(Both, MixModes, ::testing::Values(MixRecipe::Mode::kFetch, MixRecipe::Mode::kNoFetch));

NegativeRequest mixing(const MixRecipe& recipe) {
  NegativeRequest request;
  request.mixes = recipe;
  return request;
}

TEST_P(MixModes, EqualOneDevice) {
  expect_plain(mixing(recipe_of(GetParam())));
}

TEST_P(MixModes, EqualOneDeviceWithReplacementAndMoreReported) {
  MixRecipe recipe = recipe_of(GetParam());
  recipe.distinct = false;
  recipe.hard = 7;
  recipe.max_query_share = 0.9;
  NegativeRequest request = mixing(recipe);
  request.report_hardest = 30;
  expect_plain(request);
}

TEST_P(MixModes, OnlyPairsOrOnlyQueryMixes) {
  MixRecipe recipe = recipe_of(GetParam());
  recipe.query_mixes = 0;
  expect_plain(mixing(recipe));
  recipe.query_mixes = 5;
  recipe.pairs = 0;
  expect_plain(mixing(recipe));
}

TEST_P(MixModes, AHardSetOfOneRowHasNoPairs) {
  MixRecipe recipe = recipe_of(GetParam());
  recipe.hard = 1;
  expect_plain(mixing(recipe));
}

TEST_P(MixModes, QueriesWithTooFewCandidatesGetNone) {
  Scene scene = make_scene();
  MixRecipe recipe = recipe_of(GetParam());
  // Some queries lose rows to their own sample, some to their label.
  recipe.hard = 45;
  NegativeRequest request = mixing(recipe);
  expect_plain(scene, request, usual_terms(scene));
  request.label_rule = LabelRule::kDifferent;
  expect_plain(scene, request, usual_terms(scene));
  request.mixes->hard = 1000;
  expect_plain(scene, request, usual_terms(scene));
  const NegativeResult none = run_on_ranks(scene, request, usual_terms(scene), 3).result;
  EXPECT_EQ(none.mix_count.sum().item<std::int64_t>(), 0);
  scene.batches = {};
  expect_plain(scene, request, usual_terms(scene));
}

TEST_P(MixModes, WithFewerQueriesThanRanks) {
  const Scene scene = make_scene(2);
  expect_plain(scene, mixing(recipe_of(GetParam())), usual_terms(scene));
}

TEST_P(MixModes, TheBankMaximumDoesNotSeeMixes) {
  Scene scene = make_scene();
  MixRecipe recipe = recipe_of(GetParam());
  // Almost the query itself, which no bank row is.
  recipe.max_query_share = 1.0;
  recipe.query_mixes = 60;
  const NegativeResult result = run_on_ranks(scene, mixing(recipe), usual_terms(scene), 3).result;
  EXPECT_TRUE((result.scores.max > result.bank_max + 0.01).all().item<bool>());
  expect_plain(scene, mixing(recipe), usual_terms(scene));
}

TEST(FetchedMixes, AtMostAShareOfOneLabel) {
  for (const double share : {0.05, 0.2, 0.4}) {
    MixRecipe recipe = recipe_of(MixRecipe::Mode::kFetch);
    recipe.max_label_share = share;
    expect_plain(mixing(recipe));
  }
}

/// A third of the slots each; the last third counts more than it scores.
at::Tensor third(std::int64_t which) {
  return at::arange(53, at::kLong).remainder(3) == which;
}

TEST(FetchedMixes, FromPoolsOfTheBank) {
  MixRecipe recipe = recipe_of(MixRecipe::Mode::kFetch);
  recipe.pools = {{{third(0), {}}, 8}, {{third(2), 1.0 + at::arange(53, at::kDouble) * 0.01}, 12}};
  expect_plain(mixing(recipe));
  NegativeRequest reported = mixing(recipe);
  reported.report_hardest = 5;
  expect_plain(reported);
  // More than a third of the bank: no query has all that this pool asks for.
  recipe.pools.front().hard = recipe.pools.back().hard = 20;
  recipe.hard = 40;
  expect_plain(mixing(recipe));
}

TEST_P(MixModes, WithScoresThatCountDifferently) {
  MixRecipe recipe = recipe_of(GetParam());
  recipe.pools = {{{{}, at::where(third(1), at::full({}, 0.2, at::kDouble), at::ones({}, at::kDouble))}, recipe.hard}};
  expect_plain(mixing(recipe));
}

TEST(FetchedMixes, AtMostAShareOfOnePseudoLabel) {
  MixRecipe recipe = recipe_of(MixRecipe::Mode::kFetch);
  recipe.clusters = 6;
  recipe.max_label_share = 0.2;
  expect_plain(mixing(recipe));
  recipe.skip_own_cluster = true;
  expect_plain(mixing(recipe));
  recipe.max_label_share = 1.0;
  expect_plain(mixing(recipe));
  // Fewer clusters than rows cannot be had, then rows have no label.
  recipe.clusters = 60;
  expect_plain(mixing(recipe));
}

TEST(FetchedMixes, AttachedIsTheSameOnAnyNumberOfRanks) {
  for (const MixRecipe::Mode mode : {MixRecipe::Mode::kFetch, MixRecipe::Mode::kNoFetch}) {
    const Scene scene = make_scene();
    MixRecipe recipe = recipe_of(mode);
    const std::vector<ScoreTerm> terms = usual_terms(scene);
    const NegativeResult detached = run_on_ranks(scene, mixing(recipe), terms, 1).result;
    recipe.attached = true;
    const NegativeResult alone = run_on_ranks(scene, mixing(recipe), terms, 1).result;
    EXPECT_FALSE(at::allclose(alone.scores.terms[0].gradient, detached.scores.terms[0].gradient, 1e-6));
    EXPECT_TRUE(at::equal(alone.scores.terms[0].value, detached.scores.terms[0].value));
    for (const int ranks : {2, 3, 4}) {
      const NegativeResult sharded = run_on_ranks(scene, mixing(recipe), terms, ranks).result;
      EXPECT_TRUE(at::allclose(sharded.scores.terms[0].gradient, alone.scores.terms[0].gradient, 1e-12, 1e-13));
    }
  }
}

}  // namespace
}  // namespace negatron
