#include "samplers/pass/candidate_keys.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/pass/device_pass.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using By = SelectionOrder::By;
using testing::all_orders;
using testing::make_candidates;
using testing::make_rows;
using testing::unit_rows;

struct Case {
  Rows rows;
  Candidates candidates;
};

/// Duplicates, holes, exclusions, a label rule and a window; the last query may meet no row at all.
Case hard_case(std::int64_t rows, std::int64_t queries) {
  const at::Tensor vectors = unit_rows(rows / 3 + 1, 1).repeat({3, 1}).narrow(0, 0, rows);
  Case one{make_rows(vectors, at::arange(rows).remainder(9) != 2), make_candidates(unit_rows(queries, 2))};
  one.candidates.exclusions = at::tensor({0, 0, 0, 1}, at::kLong).view({-1, 2});
  one.candidates.label_rule = LabelRule::kDifferent;
  const at::Tensor first = first_key_at(at::full({queries}, 0.9));
  first[queries - 1].fill_(kAfterAllKeys);
  one.candidates.windows = {{{}, first, first_key_below(at::full({queries}, -0.8))}};
  return one;
}

TEST(BestKeys, EqualAFullSort) {
  const Case hard = hard_case(1300, 5);
  for (const SelectionOrder& order : all_orders()) {
    SCOPED_TRACE(static_cast<int>(order.by));
    for (const std::int64_t m : {0, 1, 64, 1400}) {
      EXPECT_TRUE(at::equal(DevicePass().best(hard.rows, hard.candidates, order, m),
                            testing::plain_best_keys(hard.rows, hard.candidates, order, m)))
          << m;
    }
  }
}

TEST(BestKeys, ManyQueriesOneQueryNoQueryNoRow) {
  for (const std::int64_t queries : {0, 1, 300}) {
    const Candidates candidates = make_candidates(unit_rows(queries, 2).to(at::kFloat));
    for (const std::int64_t rows : {0, 1, 40}) {
      const Rows own = make_rows(unit_rows(rows, 1).to(at::kFloat));
      EXPECT_TRUE(
          at::equal(DevicePass().best(own, candidates, {}, 3), testing::plain_best_keys(own, candidates, {}, 3)));
    }
  }
}

TEST(BestKeys, TiesGoToTheLowerSlot) {
  const Rows rows = make_rows(unit_rows(1, 1).expand({1500, testing::kTrialWidth}).contiguous());
  const at::Tensor keys = DevicePass().best(rows, make_candidates(unit_rows(2, 2)), {}, 7);
  EXPECT_TRUE(at::equal(slots_of_keys(keys)[1], at::arange(7, at::kLong)));
}

TEST(BestKeys, GumbelOrderDrawsFromTheSoftmax) {
  constexpr std::int64_t kDraws = 20000;
  const Rows rows = make_rows(unit_rows(6, 1));
  Candidates candidates = make_candidates(unit_rows(1, 2).expand({kDraws, testing::kTrialWidth}));
  const SelectionOrder order{.by = By::kGumbel, .scale = 3.0, .seed = 1, .step = 2};
  const at::Tensor slots = slots_of_keys(DevicePass().best(rows, candidates, order, 1)).flatten();
  const at::Tensor share = at::bincount(slots, {}, 6).to(at::kDouble) / kDraws;
  // Slots run against rows.
  const at::Tensor expected = at::softmax(rows.vectors.mv(candidates.queries[0]) * 3.0, 0).flip(0);
  const at::Tensor deviation = (expected * (1.0 - expected) / kDraws).sqrt();
  EXPECT_TRUE(((share - expected).abs() < 4.0 * deviation).all().item<bool>()) << share << expected;
}

TEST(BestKeys, RandomOrderTreatsAllRowsAlike) {
  constexpr std::int64_t kDraws = 5000;
  const Rows rows = make_rows(unit_rows(8, 1));
  const SelectionOrder order{.by = By::kRandom, .seed = 1, .step = 2};
  const at::Tensor keys = DevicePass().best(rows, make_candidates(unit_rows(kDraws, 2)), order, 2);
  const at::Tensor share = at::bincount(slots_of_keys(keys).flatten(), {}, 8).to(at::kDouble) / kDraws;
  EXPECT_TRUE(((share - 0.25).abs() < 4.0 * std::sqrt(0.25 * 0.75 / kDraws)).all().item<bool>()) << share;
}

TEST(KeysBetween, AreTheSortedKeysInside) {
  const Case hard = hard_case(1300, 5);
  const testing::PlainCandidates plain(hard.rows, hard.candidates);
  for (const SelectionOrder& order : all_orders()) {
    const at::Tensor ends = testing::plain_best_keys(hard.rows, hard.candidates, order, 60);
    const at::Tensor first = ends.select(1, 10).contiguous();
    const at::Tensor last = ends.select(1, 59).contiguous();
    first[1].fill_(kBeforeAllKeys);
    last[1].fill_(kAfterAllKeys);
    last[2].fill_(kBeforeAllKeys);
    const RaggedKeys found = keys_between(hard.rows, hard.candidates, order, first, last);
    std::vector<std::int64_t> expected;
    std::vector<std::int64_t> counts;
    for (std::int64_t query = 0; query < plain.queries(); ++query) {
      counts.push_back(0);
      for (const std::int64_t key : plain.sorted_keys(order, query)) {
        if (key < first[query].item<std::int64_t>() || key >= last[query].item<std::int64_t>()) continue;
        expected.push_back(key);
        ++counts.back();
      }
    }
    EXPECT_TRUE(at::equal(found.keys, at::tensor(expected, at::kLong)));
    EXPECT_TRUE(at::equal(found.counts, at::tensor(counts, at::kLong)));
    EXPECT_EQ(counts[0], 49);
    EXPECT_EQ(counts[2], 0);
  }
}

TEST(KeysBetween, NothingFound) {
  for (const std::int64_t queries : {0, 2}) {
    const at::Tensor ends = at::full({queries}, kAfterAllKeys, at::kLong);
    const RaggedKeys found =
        keys_between(make_rows(unit_rows(0, 1)), make_candidates(unit_rows(queries, 2)), {}, ends, ends);
    EXPECT_EQ(found.keys.numel(), 0);
    EXPECT_TRUE(at::equal(found.counts, at::zeros({queries}, at::kLong)));
  }
}

/// Counts one key at a time.
at::Tensor plain_histogram(const Case& one, const SelectionOrder& order, const at::Tensor& prefix, int level) {
  const testing::PlainCandidates plain(one.rows, one.candidates);
  const at::Tensor counts = at::zeros({prefix.size(0), prefix.size(1), 256}, at::kInt);
  const auto digit = [](std::int64_t key, int place) {
    const std::uint64_t image = static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(kBeforeAllKeys);
    return static_cast<std::int64_t>((image >> (56 - 8 * place)) & 255);
  };
  for (std::int64_t query = 0; query < prefix.size(0); ++query) {
    for (const std::int64_t key : plain.sorted_keys(order, query)) {
      for (std::int64_t t = 0; t < prefix.size(1); ++t) {
        bool matches = true;
        for (int place = 0; place < level; ++place) {
          matches = matches && digit(key, place) == digit(prefix[query][t].item<std::int64_t>(), place);
        }
        if (matches) counts[query][t][digit(key, level)] += 1;
      }
    }
  }
  return counts;
}

TEST(DigitHistogram, CountsTheNextDigit) {
  const Case hard = hard_case(700, 4);
  for (const SelectionOrder& order : all_orders()) {
    const at::Tensor best = testing::plain_best_keys(hard.rows, hard.candidates, order, 50);
    const at::Tensor prefix = at::stack({best.select(1, 0), best.select(1, 25), best.select(1, 49)}, 1);
    for (int level = 0; level < 8; ++level) {
      const at::Tensor counts = digit_histogram(hard.rows, hard.candidates, order, prefix, level);
      EXPECT_EQ(counts.scalar_type(), at::kInt);
      EXPECT_TRUE(at::equal(counts, plain_histogram(hard, order, prefix, level))) << "level " << level;
    }
  }
}

/// Radix select as the exchange does it: eight levels of histograms find the key at a rank.
TEST(DigitHistogram, LeadsToTheKeyAtARank) {
  const Case hard = hard_case(700, 4);
  const at::Tensor sorted = testing::plain_best_keys(hard.rows, hard.candidates, {}, 41);
  for (const std::int64_t rank : {0, 17, 40}) {
    std::int64_t prefix = 0;
    std::int64_t rest = rank;
    for (int level = 0; level < 8; ++level) {
      const at::Tensor counts =
          digit_histogram(hard.rows, hard.candidates, {}, at::full({4, 1}, prefix, at::kLong), level)[1][0].to(
              at::kLong);
      std::int64_t digit = 0;
      while (rest >= counts[digit].item<std::int64_t>()) rest -= counts[digit++].item<std::int64_t>();
      if (level == 0) digit -= 128;
      prefix += digit * (std::int64_t{1} << (56 - 8 * level));
    }
    EXPECT_EQ(prefix, sorted[1][rank].item<std::int64_t>());
  }
}

TEST(Selection, RefusesWhatDoesNotFit) {
  Rows rows = make_rows(unit_rows(9, 1));
  Candidates candidates = make_candidates(unit_rows(2, 2));
  const at::Tensor ends = at::zeros({2}, at::kLong);
  EXPECT_THROW(DevicePass().best(rows, candidates, {}, -1), std::invalid_argument);
  EXPECT_THROW(keys_between(rows, candidates, {}, ends, ends.narrow(0, 0, 1)), std::invalid_argument);
  EXPECT_THROW(digit_histogram(rows, candidates, {}, ends.unsqueeze(1), 8), std::invalid_argument);
  EXPECT_THROW(digit_histogram(rows, candidates, {}, ends, 0), std::invalid_argument);
  candidates.query_index = at::Tensor();
  EXPECT_THROW(DevicePass().best(rows, candidates, {.by = By::kRandom}, 1), std::invalid_argument);
  rows.slots = at::Tensor();
  EXPECT_THROW(DevicePass().best(rows, candidates, {}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
