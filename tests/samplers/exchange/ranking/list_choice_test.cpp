#include "samplers/exchange/ranking/list_choice.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/exchange/ranking/slot_draws.h"
#include "tests/samplers/exchange/exchange_trial.h"

// What a set chooses of the rows that it names, against the plain twin on 1 to 4 ranks, and the bytes of it.

namespace negatron {
namespace {

using testing::expect_plain;
using testing::make_scene;
using testing::run_on_ranks;
using testing::Scene;
using testing::usual_terms;
using By = SelectionOrder::By;

constexpr std::int64_t kAsking = 7;

SelectionOrder in_list(By by, double scale = 1.0) {
  return {by, scale, 42, Purpose::kListChoice, 3};
}

NegativeRequest naming(std::int64_t count, const std::function<void(NegativeSet&)>& change) {
  NegativeRequest request;
  NegativeSet& set = request.sets.front();
  set.uniform_slots = count;
  set.slot_order = {By::kRandom, 1.0, 42, Purpose::kNegativeDraw, 3};
  change(set);
  return request;
}

at::Tensor all_queries(double bound) {
  return at::full({kAsking}, bound, at::kDouble);
}

TEST(ListChoice, TheHardestOfEachList) {
  for (const std::int64_t lists : {1, 4, 20}) {
    expect_plain(naming(20, [&](NegativeSet& set) {
      set.lists = lists;
      set.draws = 1;
    }));
  }
  // More than a list holds.
  expect_plain(naming(20, [](NegativeSet& set) {
    set.lists = 5;
    set.draws = 9;
  }));
}

TEST(ListChoice, TheFirstWithinTheBounds) {
  for (const double lower : {-0.5, 0.3, 0.7, 2.0}) {
    expect_plain(naming(12, [&](NegativeSet& set) {
      set.lower_score = all_queries(lower);
      set.draws = 1;
      set.draws_as_listed = true;
    }));
  }
  // A bound of each query's own, of which each list has the first three.
  expect_plain(naming(24, [](NegativeSet& set) {
    set.upper_score = at::arange(kAsking, at::kDouble) * 0.1 - 0.2;
    set.lists = 2;
    set.draws = 3;
    set.draws_as_listed = true;
  }));
}

TEST(ListChoice, AnUpperBoundThatHoldsWhereARowIsWithin) {
  expect_plain(naming(24, [](NegativeSet& set) {
    set.lower_score = at::arange(kAsking, at::kDouble) * 0.15 - 0.5;
    set.upper_score = set.lower_score + 0.1;
    set.upper_if_any = true;
    set.lists = 4;
    set.draws = 1;
  }));
}

TEST(ListChoice, RandomDraws) {
  for (const By by : {By::kRandom, By::kGumbel}) {
    expect_plain(naming(30, [&](NegativeSet& set) {
      set.lists = 3;
      set.draws = 4;
      set.draw_order = in_list(by, 6.0);
    }));
  }
}

TEST(ListChoice, RanksByEitherScore) {
  for (const By by : {By::kScore, By::kPositiveScore}) {
    expect_plain(naming(30, [&](NegativeSet& set) {
      set.order.by = by;
      set.first_rank = 3;
      set.last_rank = 11;
    }));
  }
  // Both scores decide.
  expect_plain(naming(30, [](NegativeSet& set) {
    set.lists = 2;
    set.order.by = By::kPositiveScore;
    set.last_rank = 8;
    set.skip_only_above = 0.2;
    set.first_rank = 4;
    set.draws = 2;
  }));
}

TEST(ListChoice, RowsThatMayNotScoreAreNoChoice) {
  NegativeRequest request = naming(40, [](NegativeSet& set) {
    set.lists = 8;
    set.draws = 2;
  });
  request.max_age = 4;
  request.label_rule = LabelRule::kDifferent;
  expect_plain(request);
}

TEST(ListChoice, ATieGoesToTheLowerSlotAndARowMayStandTwice) {
  Scene scene = make_scene();
  // Every third key of a step is the same vector: slots 1, 4 and 7 of its batch.
  at::Tensor slots = at::arange(kAsking * 10, at::kLong).remainder(scene.bank.rows).view({kAsking, 10}).flip(1);
  slots.select(1, 2).copy_(slots.select(1, 7));
  slots.select(1, 5).fill_(-1);
  slots[3].fill_(-1);
  NegativeRequest request;
  request.sets.front().slots = slots.contiguous();
  request.sets.front().lists = 2;
  request.sets.front().draws = 2;
  expect_plain(scene, request, usual_terms(scene));
}

TEST(ListChoice, MayBeKeptAndNotMet) {
  Scene scene = make_scene();
  NegativeRequest request;
  NegativeSet kept;
  kept.slots = (at::arange(kAsking * 9, at::kLong) * 7).remainder(scene.bank.rows).view({kAsking, 9});
  kept.slots[2].fill_(-1);
  kept.draws = 4;
  request.kept = kept;
  expect_plain(scene, request, usual_terms(scene));
  // Drawn by each rank, beside a set that names rows as well.
  request.kept->slots = at::Tensor();
  request.kept->uniform_slots = 12;
  request.kept->slot_order = {By::kRandom, 1.0, 42, Purpose::kNegativeDraw, 3};
  request.kept->draw_order = in_list(By::kGumbel, 5.0);
  request.sets.front().slots = kept.slots;
  request.sets.front().draws = 2;
  request.sets.front().order.by = By::kPositiveScore;
  request.sets.front().last_rank = 5;
  expect_plain(scene, request, usual_terms(scene));
}

TEST(ListChoice, NeedsNoRow) {
  Scene empty = make_scene();
  empty.batches = {};
  const NegativeRequest request = naming(6, [](NegativeSet& set) { set.draws = 1; });
  expect_plain(empty, request, usual_terms(empty));
  // Fewer keys than ranks: some shards are empty.
  Scene few = make_scene(2);
  few.batches = {2};
  few.ids = at::Tensor();
  expect_plain(few, request, usual_terms(few));
}

TEST(ListChoice, ReceivesAScoreForEachRowNamedElsewhereAndTheSlotsThatWereChosen) {
  Scene scene = make_scene(8);
  scene.batches = {13, 13, 13, 13, 1};
  scene.ids = at::Tensor();
  const ScoreTerm soft;
  for (const int ranks : {2, 4}) {
    const auto bytes = [&](const NegativeRequest& request) {
      return run_on_ranks(scene, request, {soft}, ranks).bytes_received;
    };
    const auto all = bytes(naming(24, [](NegativeSet&) {}));
    const auto chosen = bytes(naming(24, [](NegativeSet& set) {
      set.lists = 12;
      set.draws = 1;
    }));
    const auto by_both = bytes(naming(24, [](NegativeSet& set) {
      set.lists = 12;
      set.draws = 1;
      set.order.by = By::kPositiveScore;
      set.last_rank = 2;
    }));
    std::int64_t scores = 0;
    std::int64_t both_scores = 0;
    const std::int64_t own = 8 / ranks;
    for (const auto& [rank, received] : chosen) {
      const std::int64_t slots = (8 - own) * 12 * 8;
      const std::int64_t keys = (8 - own) * scene.bank.width * 8;
      scores += received - all.at(rank) - slots;
      both_scores += by_both.at(rank) - all.at(rank) - slots - keys;
    }
    // Of 8 * 24 rows each lies on the owner of the query or elsewhere.
    std::int64_t elsewhere = 0;
    const at::Tensor slots = draw_uniform_slots({By::kRandom, 1.0, 42, Purpose::kNegativeDraw, 3},
                                                at::arange(8, at::kLong), 24, scene.bank.rows);
    run_ranks(ranks, CommunicatorOptions{}, [&](Communicator& comm) {
      if (comm.rank() != 0) return;
      const Bank bank = testing::make_bank(scene, comm);
      const at::Tensor owner = at::arange(8, at::kLong).floor_divide(own).unsqueeze(1);
      elsewhere = (bank.layout().places_of(slots).ranks != owner).sum().item<std::int64_t>();
    });
    EXPECT_EQ(scores, elsewhere * 4) << ranks;
    EXPECT_EQ(both_scores, elsewhere * 8) << ranks;
  }
}

}  // namespace
}  // namespace negatron
