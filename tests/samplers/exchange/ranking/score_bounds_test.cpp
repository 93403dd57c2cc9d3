#include <gtest/gtest.h>

#include "tests/samplers/exchange/exchange_trial.h"

// The bounds of a NegativeSet against the plain twin, on 1 to 4 ranks.

namespace negatron {
namespace {

using testing::expect_plain;
using testing::make_scene;
using testing::Scene;
using testing::usual_terms;

NegativeRequest bounded(const std::function<void(NegativeSet&)>& change) {
  NegativeRequest request;
  change(request.sets.front());
  return request;
}

TEST(ScoreBounds, LeaveTheRowsBetweenThem) {
  const at::Tensor bound = at::arange(7, at::kDouble) * 0.1 - 0.3;
  expect_plain(bounded([&](NegativeSet& set) { set.lower_score = bound; }));
  expect_plain(bounded([&](NegativeSet& set) { set.upper_score = bound; }));
  expect_plain(bounded([&](NegativeSet& set) {
    set.lower_score = bound - 0.3;
    set.upper_score = bound + 0.2;
  }));
}

TEST(ScoreBounds, TheUpperOneMayHoldOnlyWhereARowIsWithin) {
  const at::Tensor bound = at::arange(7, at::kDouble) * 0.15 - 0.5;
  for (const double width : {0.01, 0.1, 0.6}) {
    for (const std::int64_t draws : {0, 1, 3}) {
      expect_plain(bounded([&](NegativeSet& set) {
        set.lower_score = bound;
        set.upper_score = bound + width;
        set.upper_if_any = true;
        set.draws = draws;
      }));
    }
  }
  // Nothing is above the lower bound either.
  expect_plain(bounded([&](NegativeSet& set) {
    set.lower_score = bound + 2.0;
    set.upper_score = bound + 2.1;
    set.upper_if_any = true;
  }));
}

TEST(ScoreBounds, LeaveOutRowsAtThem) {
  Scene scene = make_scene(1);
  scene.ids = at::Tensor();
  const at::Tensor score = scene.queries.mv(scene.keys(8)[0]);  // of a row of the bank
  NegativeRequest request;
  request.sets.front().lower_score = score;
  expect_plain(scene, request, usual_terms(scene));
  const std::int64_t above =
      testing::run_on_ranks(scene, request, {ScoreTerm{}}, 2).result.scores.count.item<std::int64_t>();
  request.sets.front() = NegativeSet{};
  request.sets.front().upper_score = score;
  expect_plain(scene, request, usual_terms(scene));
  const std::int64_t below =
      testing::run_on_ranks(scene, request, {ScoreTerm{}}, 2).result.scores.count.item<std::int64_t>();
  EXPECT_LT(above + below, scene.bank.rows);
}

TEST(ScoreBounds, RanksCountAmongWhatTheyLeave) {
  expect_plain(bounded([](NegativeSet& set) {
    set.upper_score = at::full({7}, 0.4, at::kDouble);
    set.first_rank = 2;
    set.last_rank = 9;
  }));
}

}  // namespace
}  // namespace negatron
