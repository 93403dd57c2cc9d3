#include "samplers/pass/selection/selection_key.h"

#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/reference/plain_selection.h"

namespace negatron {
namespace {

constexpr float kInfiniteScore = std::numeric_limits<float>::infinity();
constexpr std::int64_t kLastSlot = (std::int64_t{1} << 32) - 1;

/// Best first, each strictly better than the next.
std::vector<float> descending_scores() {
  const float tiny = std::numeric_limits<float>::denorm_min();
  return {kInfiniteScore,
          std::numeric_limits<float>::max(),
          1.0F,
          std::nextafter(1.0F, 0.0F),
          0.5F,
          tiny,
          0.0F,
          -tiny,
          -0.5F,
          -1.0F,
          std::nextafter(-1.0F, -2.0F),
          std::numeric_limits<float>::lowest(),
          -kInfiniteScore};
}

TEST(SelectionKeys, AscendFromTheBestScoreAndTheLowestSlot) {
  std::int64_t before = kBeforeAllKeys;
  for (const float score : descending_scores()) {
    for (const std::int64_t slot : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 31, kLastSlot}) {
      const at::Tensor key = selection_keys(at::full({1}, score), at::full({1}, slot, at::kLong));
      EXPECT_EQ(key.item<std::int64_t>(), testing::plain_key(score, slot));
      EXPECT_GT(key.item<std::int64_t>(), before) << score << " slot " << slot;
      EXPECT_EQ(scores_of_keys(key).item<float>(), score);
      EXPECT_EQ(slots_of_keys(key).item<std::int64_t>(), slot);
      before = key.item<std::int64_t>();
    }
  }
  EXPECT_LT(before, kAfterAllKeys);
}

TEST(SelectionKeys, BothZerosTieAndDoublesAreRounded) {
  const at::Tensor slot = at::full({1}, 5, at::kLong);
  const auto key = [&](double score) {
    return selection_keys(at::full({1}, score, at::kDouble), slot).item<std::int64_t>();
  };
  EXPECT_EQ(key(-0.0), key(0.0));
  EXPECT_EQ(key(1.0 + 1e-9), key(1.0));
  EXPECT_NE(key(1.0 + 1e-6), key(1.0));
}

TEST(SelectionKeys, BroadcastScoresAgainstSlots) {
  const at::Tensor scores = at::rand({3, 4});
  const at::Tensor keys = selection_keys(scores, at::arange(4, at::kLong).unsqueeze(0));
  EXPECT_EQ(keys.sizes(), scores.sizes());
  EXPECT_TRUE(at::equal(scores_of_keys(keys), scores));
  EXPECT_TRUE(at::equal(slots_of_keys(keys)[2], at::arange(4, at::kLong)));
}

TEST(SelectionKeys, NoRow) {
  const at::Tensor none = at::full({2}, kAfterAllKeys, at::kLong);
  EXPECT_TRUE(at::equal(scores_of_keys(none), at::full({2}, -kInfiniteScore)));
  EXPECT_TRUE(at::equal(slots_of_keys(none), at::full({2}, -1, at::kLong)));
}

TEST(SelectionKeys, FirstKeysFenceAScore) {
  const std::vector<float> scores = descending_scores();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const at::Tensor score = at::full({1}, scores[i]);
    const std::int64_t at = first_key_at(score).item<std::int64_t>();
    const std::int64_t below = first_key_below(score).item<std::int64_t>();
    EXPECT_EQ(at, testing::plain_key(scores[i], 0));
    EXPECT_GT(below, testing::plain_key(scores[i], kLastSlot));
    if (i > 0) {
      EXPECT_GT(at, testing::plain_key(scores[i - 1], kLastSlot));
    }
    if (i + 1 < scores.size()) {
      EXPECT_LE(below, testing::plain_key(scores[i + 1], 0));
    }
  }
}

TEST(SlotUniforms, AreTheNumbersOfTheQuerysStream) {
  const SelectionOrder order{.by = SelectionOrder::By::kRandom, .seed = 9, .purpose = Purpose::kPairMix, .step = 6};
  const at::Tensor queries = at::tensor({0, 3, 1000}, at::kLong);
  const at::Tensor slots = at::tensor({7, 0, 2, 3, 250, 4, 6, 2}, at::kLong);
  const at::Tensor uniforms = slot_uniforms(order, queries, slots);
  for (std::int64_t i = 0; i < queries.size(0); ++i) {
    for (std::int64_t j = 0; j < slots.size(0); ++j) {
      EXPECT_EQ(uniforms[i][j].item<double>(),
                testing::plain_uniform(order, queries[i].item<std::int64_t>(), slots[j].item<std::int64_t>()));
    }
  }
  // Any part of the slots, in any order, gets the same numbers: no rank's view of the bank matters.
  EXPECT_TRUE(
      at::equal(slot_uniforms(order, queries.flip(0), slots.narrow(0, 2, 4)), uniforms.narrow(1, 2, 4).flip(0)));
}

TEST(SlotUniforms, DependOnSeedPurposeStepAndQuery) {
  const SelectionOrder order{.by = SelectionOrder::By::kRandom, .seed = 9, .step = 6};
  SelectionOrder seed = order;
  seed.seed = 10;
  SelectionOrder purpose = order;
  purpose.purpose = Purpose::kPairMix;
  SelectionOrder step = order;
  step.step = 7;
  std::set<double> numbers;
  for (const SelectionOrder& one : {order, seed, purpose, step}) {
    for (const std::int64_t query : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 32}) {
      numbers.insert(slot_uniforms(one, at::full({1}, query, at::kLong), at::zeros({1}, at::kLong)).item<double>());
    }
  }
  EXPECT_EQ(numbers.size(), 12u);
  step.step = std::int64_t{1} << 32;
  EXPECT_THROW(slot_uniforms(step, at::zeros({1}, at::kLong), at::zeros({1}, at::kLong)), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
