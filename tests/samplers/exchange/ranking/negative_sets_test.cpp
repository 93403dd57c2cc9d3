#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/exchange/exchange_trial.h"

// Every member of NegativeRequest and NegativeSet against the plain twin, on 1 to 4 ranks.

namespace negatron {
namespace {

using testing::expect_plain;
using testing::make_scene;
using testing::Scene;
using testing::usual_terms;
using By = SelectionOrder::By;

SelectionOrder random_order(By by, double scale = 1.0) {
  return {by, scale, 42, Purpose::kNegativeDraw, 3};
}

NegativeRequest with(const std::function<void(NegativeSet&)>& change) {
  NegativeRequest request;
  change(request.sets.front());
  return request;
}

TEST(NegativeSets, OwnSampleAndLabels) {
  NegativeRequest request;
  request.exclude_own_sample = false;
  expect_plain(request);
  request.exclude_own_sample = true;
  request.label_rule = LabelRule::kDifferent;
  expect_plain(request);
  request.label_rule = LabelRule::kAny;
  request.positive_rule = PositiveRule::kSameLabel;
  expect_plain(request);
}

TEST(NegativeSets, MaximalAge) {
  NegativeRequest request;
  for (const std::int64_t age : {1, 4, 7}) {
    request.max_age = age;
    expect_plain(request);
  }
  // Windows, hard sets and lists must not see old rows either.
  request.max_age = 4;
  request.report_hardest = 30;
  request.sets.front().last_rank = 20;
  request.sets.emplace_back().uniform_slots = 9;
  expect_plain(request);
}

TEST(NegativeSets, RankWindow) {
  for (const auto& [first, last] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 1}, {0, 10}, {5, 17}, {20, NegativeSet::kAllRanks}, {0, 1000}, {40, 60}, {60, 70}, {6, 6}}) {
    expect_plain(with([&](NegativeSet& set) {
      set.first_rank = first;
      set.last_rank = last;
    }));
  }
}

TEST(NegativeSets, RankWindowByThePositive) {
  expect_plain(with([](NegativeSet& set) {
    set.order.by = By::kPositiveScore;
    set.first_rank = 3;
    set.last_rank = 12;
  }));
}

TEST(NegativeSets, SkipsOnlyAbove) {
  for (const double above : {-1.0, 0.3, 0.5, 2.0}) {
    for (const By by : {By::kScore, By::kPositiveScore}) {
      expect_plain(with([&](NegativeSet& set) {
        set.order.by = by;
        set.first_rank = 10;
        set.last_rank = 30;
        set.skip_only_above = above;
      }));
    }
  }
}

TEST(NegativeSets, FurtherPositivesByWindow) {
  NegativeRequest request;
  request.positive_rule = PositiveRule::kWindow;
  request.positive_set.order.by = By::kPositiveScore;
  request.positive_set.last_rank = 8;
  request.positive_set.skip_only_above = 0.4;
  expect_plain(request);
  request.positive_set.order.by = By::kScore;
  request.sets.emplace_back().uniform_slots = 20;
  expect_plain(request);
}

TEST(NegativeSets, Draws) {
  for (const std::int64_t draw : {1, 6, 40, 500}) {
    expect_plain(with([&](NegativeSet& set) {
      set.draws = draw;
      set.draw_order = random_order(By::kRandom);
    }));
  }
  expect_plain(with([&](NegativeSet& set) {
    set.draws = 6;
    set.draw_order = random_order(By::kGumbel, 8.0);
  }));
  // The hardest of a window.
  expect_plain(with([&](NegativeSet& set) {
    set.upper_score = at::full({7}, 0.2, at::kDouble);
    set.draws = 1;
  }));
}

TEST(NegativeSets, DrawsInsideBothWindows) {
  expect_plain(with([](NegativeSet& set) {
    set.upper_score = at::full({7}, 0.6, at::kDouble);
    set.first_rank = 2;
    set.last_rank = 20;
    set.draws = 5;
    set.draw_order = random_order(By::kRandom);
  }));
}

TEST(NegativeSets, ListedSlots) {
  Scene scene = make_scene();
  // Repeated slots, none, and query 4 none at all.
  at::Tensor slots = (at::arange(7 * 11, at::kLong) * 5).remainder(scene.bank.rows + 3).view({7, 11}) - 3;
  slots = slots.clamp_min(-1);
  slots.select(1, 3).copy_(slots.select(1, 2));
  slots[4].fill_(-1);
  NegativeRequest request;
  request.sets.front().slots = slots;
  expect_plain(scene, request, usual_terms(scene));
  request.label_rule = LabelRule::kDifferent;
  request.positive_rule = PositiveRule::kSameLabel;
  request.max_age = 5;
  expect_plain(scene, request, usual_terms(scene));
  // Slots that were not written yet.
  scene.batches = {8, 5};
  expect_plain(scene, request, usual_terms(scene));
}

TEST(NegativeSets, UniformSlots) {
  expect_plain(with([](NegativeSet& set) {
    set.uniform_slots = 15;
    set.slot_order = random_order(By::kRandom);
    set.weight = 53.0 / 15.0;
  }));
  Scene empty = make_scene();
  empty.batches = {};
  NegativeRequest request;
  request.sets.front().uniform_slots = 4;
  expect_plain(empty, request, usual_terms(empty));
}

TEST(NegativeSets, UnionsAndWeights) {
  NegativeRequest request;
  request.sets.front().last_rank = 5;
  NegativeSet& rest = request.sets.emplace_back();
  rest.first_rank = 5;
  rest.draws = 6;
  rest.draw_order = random_order(By::kRandom);
  rest.weight = 40.0 / 6.0;
  expect_plain(request);
  request.sets.clear();
  expect_plain(request);
}

TEST(NegativeSets, OnlyRowsOfAPool) {
  const at::Tensor even = at::arange(53, at::kLong).remainder(2) == 0;
  NegativeRequest request;
  request.sets.front().pool.rows = even;
  expect_plain(request);
  request.sets.front().first_rank = 2;
  request.sets.front().last_rank = 9;
  NegativeSet& others = request.sets.emplace_back();
  others.pool.rows = even.logical_not();
  others.last_rank = 4;
  others.draws = 3;
  others.draw_order = random_order(By::kRandom);
  expect_plain(request);
  request.max_age = 4;
  request.sets.back().last_rank = 40;
  expect_plain(request);
  // A pool without a row, on every rank.
  request.sets.back().pool.rows = at::zeros({53}, at::kBool);
  expect_plain(request);
}

TEST(NegativeSets, ScoresOfAPoolThatCountDifferently) {
  NegativeRequest request;
  NegativeSet& set = request.sets.front();
  set.pool.score_factors = 0.5 + at::arange(53, at::kDouble).remainder(5) * 0.25;
  set.last_rank = 11;
  expect_plain(request);
  set.pool.rows = at::arange(53, at::kLong).remainder(4) != 1;
  set.first_rank = 3;
  set.skip_only_above = 0.4;
  expect_plain(request);
}

TEST(NegativeSets, LogWeightsOfRows) {
  NegativeRequest request;
  request.row_log_weights = at::arange(53, at::kDouble) * 0.05 - 1.0;
  expect_plain(request);
  request.sets.emplace_back().uniform_slots = 7;
  request.sets.back().weight = 3.0;
  expect_plain(request);
}

TEST(NegativeSets, ExtraVectors) {
  NegativeRequest request;
  request.vectors = random_unit_rows(5, 0, 7 * 3, 6).view({7, 3, 6});
  expect_plain(request);
  request.sets.clear();
  expect_plain(request);
}

TEST(NegativeSets, ReportedHardest) {
  NegativeRequest request;
  for (const std::int64_t n : {1, 9, 33, 60}) {
    request.report_hardest = n;
    expect_plain(request);
  }
  Scene one = make_scene(1);
  request.report_hardest = 12;
  expect_plain(one, request, usual_terms(one));
}

TEST(NegativeSets, SelfAdversarialSumsAreMeans) {
  const Scene scene = make_scene();
  ScoreTerm sum;
  sum.shape = TermShape::kSoftplus;
  sum.reduction = Reduction::kSum;
  ScoreTerm mean = sum;
  mean.reduction = Reduction::kSoftmaxMean;
  mean.weight_scale = 4.0;
  ScoreTerm positives = sum;
  positives.rows = TermRows::kPositives;
  NegativeRequest request;
  request.positive_rule = PositiveRule::kSameLabel;
  NegativeRequest self_adversarial = request;
  self_adversarial.self_adversarial_scale = 4.0;
  for (const int ranks : {1, 3}) {
    const PassResult actual = run_on_ranks(scene, self_adversarial, {sum, positives}, ranks).result.scores;
    const PassResult expected = run_on_ranks(scene, request, {mean, positives}, ranks).result.scores;
    for (std::size_t t = 0; t < 2; ++t) {
      EXPECT_TRUE(at::equal(actual.terms[t].value, expected.terms[t].value)) << t;
      EXPECT_TRUE(at::equal(actual.terms[t].gradient, expected.terms[t].gradient)) << t;
    }
  }
}

}  // namespace
}  // namespace negatron
