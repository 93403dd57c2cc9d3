#include "samplers/negative_samplers/popularity.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "comm/share.h"
#include "samplers/negative_samplers/weighted_slots.h"

namespace negatron {
namespace {

constexpr std::int64_t kCounted = 6;
constexpr std::int64_t kAskers = 40;
/// Of chi-square with 4 degrees of freedom, exceeded with a probability of 1e-6; with 5 it is 35.9.
constexpr double kMostChiSquare4 = 33.4;
constexpr double kMostChiSquare5 = 35.9;

at::Tensor counts_of_samples() {
  return at::tensor({9, 0, 1, 30, 30, 4}, at::kLong);
}

Bank counted_bank(int rank, int ranks) {
  return {BankOptions{kCounted, 4, at::kDouble, at::kCPU, BankFill::kRandom, 0, 8, BankKind::kMemory}, rank, ranks};
}

QueryBatch askers(int rank, int ranks, std::int64_t step) {
  QueryBatch batch;
  batch.shares.sizes = share_sizes(kAskers, ranks);
  batch.queries = at::zeros({batch.shares.size(rank), 4}, at::kDouble);
  batch.step = step;
  return batch;
}

NegativeRequest asked(const std::string& options, int rank, int ranks, std::int64_t step) {
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler popularity", describe_sampler("popularity").options, options);
  arguments.sample_counts = counts_of_samples();
  arguments.seed = 3;
  const Bank bank = counted_bank(rank, ranks);
  return make_sampler("popularity", arguments)->request(bank, askers(rank, ranks, step));
}

/// How often each slot is drawn, over many steps.
at::Tensor frequencies(const std::string& options) {
  at::Tensor times = at::zeros({kCounted}, at::kDouble);
  for (std::int64_t step = 0; step < 100; ++step) {
    const at::Tensor slots = asked(options, 0, 1, step).sets.front().slots;
    times += slots.flatten().bincount({}, kCounted).to(at::kDouble);
  }
  return times;
}

double chi_square(const at::Tensor& times, const at::Tensor& probabilities) {
  const at::Tensor expected = probabilities / probabilities.sum() * times.sum();
  const at::Tensor gaps = (times - expected).square() / expected.clamp_min(1e-300);
  return gaps.masked_fill(probabilities == 0.0, 0.0).sum().item<double>();
}

TEST(Popularity, DrawsByAPowerOfTheCountAndNeverWhatWasNotCounted) {
  for (const double power : {0.75, 1.0, 0.0}) {
    const at::Tensor counts = counts_of_samples().to(at::kDouble);
    const at::Tensor law = at::where(counts > 0.0, counts.pow(power), at::zeros_like(counts));
    const at::Tensor times = frequencies("m=50,power=" + std::to_string(power));
    EXPECT_EQ(times[1].item<double>(), 0.0);
    EXPECT_LT(chi_square(times, law), kMostChiSquare4) << power;
    // Another law would show.
    EXPECT_GT(chi_square(times, counts.pow(power + 0.1)), kMostChiSquare4) << power;
  }
}

TEST(Popularity, DrawsByTheOrderOfCountsInWhichTiesGoByNumber) {
  // Sorted by count: 3, 4, 0, 5, 2, 1.
  const at::Tensor ranks = at::tensor({2.0, 5.0, 4.0, 0.0, 1.0, 3.0}, at::kDouble);
  const at::Tensor times = frequencies("m=50,law=rank,lambda=2");
  EXPECT_LT(chi_square(times, (-ranks / 2.0).exp()), kMostChiSquare5);
  EXPECT_GT(chi_square(times, (-ranks / 2.2).exp()), kMostChiSquare5);
}

TEST(Popularity, DrawsTheSameForAnyNumberOfRanks) {
  const at::Tensor alone = asked("m=7", 0, 1, 5).sets.front().slots;
  EXPECT_EQ(alone.sizes(), (std::vector<std::int64_t>{kAskers, 7}));
  for (const int ranks : {2, 3}) {
    std::vector<at::Tensor> parts;
    for (int rank = 0; rank < ranks; ++rank) parts.push_back(asked("m=7", rank, ranks, 5).sets.front().slots);
    EXPECT_TRUE(at::cat(parts).equal(alone));
  }
  EXPECT_FALSE(asked("m=7", 0, 1, 6).sets.front().slots.equal(alone));
}

/// Sums over weighted draws are, on average, those over all that can be drawn.
TEST(Popularity, StandsForTheBank) {
  const at::Tensor values = at::tensor({0.4, 1.1, -0.3, 2.0, 0.7, 1.9}, at::kDouble);
  constexpr std::int64_t kDraws = 50;
  const at::Tensor log_weights = asked("m=50,stand-for-bank=on", 0, 1, 0).row_log_weights;
  at::Tensor sums = at::zeros({0}, at::kDouble);
  for (std::int64_t step = 0; step < 200; ++step) {
    const at::Tensor slots = asked("m=50,stand-for-bank=on", 0, 1, step).sets.front().slots;
    sums =
        at::cat({sums, (values * log_weights.exp()).index_select(0, slots.flatten()).view({kAskers, kDraws}).sum(1)});
  }
  const double expected = (values.sum() - values[1]).item<double>();
  const double error = sums.std().item<double>() / std::sqrt(static_cast<double>(sums.numel()));
  EXPECT_NEAR(sums.mean().item<double>(), expected, 5.0 * error);
  EXPECT_LT(error, 0.05);
  // Each rank knows the weights of its own rows.
  const at::Tensor second = asked("m=50,stand-for-bank=on", 1, 2, 0).row_log_weights;
  EXPECT_TRUE(second.equal(log_weights.slice(0, 3)));
}

TEST(WeightedSlots, RefuseWhatIsNoWeight) {
  EXPECT_THROW(WeightedSlots(at::zeros({4}, at::kDouble)), std::invalid_argument);
  EXPECT_THROW(WeightedSlots(at::tensor({1.0, -1.0}, at::kDouble)), std::invalid_argument);
  EXPECT_THROW(WeightedSlots(at::tensor({1.0, std::nan("")}, at::kDouble)), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
