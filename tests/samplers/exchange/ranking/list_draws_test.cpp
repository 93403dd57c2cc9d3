// How often choices of named rows fall on which row: chi-square tests, each of which a right draw fails for at most one
// seed in a million. Seeds are fixed.

#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/exchange/ranking/list_choice.h"
#include "samplers/exchange/ranking/slot_draws.h"

namespace negatron {
namespace {

using By = SelectionOrder::By;

constexpr std::int64_t kDrawRows = 10;
constexpr std::int64_t kDrawQueries = 20000;
/// Of chi-square with 9 degrees of freedom.
constexpr double kOneInAMillion = 45.08;

/// How often each of 10 rows is chosen, of which row r has the score 1 - r / 10.
std::vector<double> times_chosen(const NegativeSet& set) {
  std::vector<double> times(kDrawRows, 0.0);
  run_ranks(1, CommunicatorOptions{}, [&](Communicator& comm) {
    Bank bank(BankOptions{kDrawRows, 1, at::kDouble, at::kCPU, BankFill::kEmpty, 1, kDrawRows}, 0, 1);
    const at::Tensor none = at::full({kDrawRows}, -1, at::kLong);
    bank.enqueue((1.0 - at::arange(kDrawRows, at::kDouble) / 10.0).unsqueeze(1), none, none, 0, kDrawRows);
    ShardCandidates shard;
    shard.rows = bank.shard().rows;
    shard.shares = {{kDrawQueries}, 0};
    shard.candidates.queries = at::ones({kDrawQueries, 1}, at::kDouble);
    shard.candidates.query_index = at::arange(kDrawQueries, at::kLong);
    const at::Tensor slots = set.slots.defined() ? set.slots
                                                 : draw_uniform_slots(set.slot_order, shard.candidates.query_index,
                                                                      set.uniform_slots, kDrawRows);
    const at::Tensor chosen = choose_of_lists(comm, bank, shard, set, slots).slots.flatten();
    const at::Tensor counts = at::bincount(chosen.masked_select(chosen >= 0), {}, kDrawRows);
    for (std::int64_t row = 0; row < kDrawRows; ++row) {
      times[static_cast<std::size_t>(row)] = counts[row].item<double>();
    }
  });
  return times;
}

NegativeSet one_of(std::int64_t count) {
  NegativeSet set;
  set.uniform_slots = count;
  set.slot_order = {By::kRandom, 1.0, 5, Purpose::kNegativeDraw, 7};
  set.draws = 1;
  return set;
}

void expect_shares(const NegativeSet& set, const std::function<double(double)>& share_of) {
  const std::vector<double> times = times_chosen(set);
  double sum = 0.0;
  for (std::int64_t row = 0; row < kDrawRows; ++row) sum += share_of(static_cast<double>(row));
  EXPECT_NEAR(sum, 1.0, 1e-12);
  double chi_square = 0.0;
  for (std::int64_t row = 0; row < kDrawRows; ++row) {
    const double expected = share_of(static_cast<double>(row)) * static_cast<double>(kDrawQueries * set.lists);
    const double off = times[static_cast<std::size_t>(row)] - expected;
    chi_square += off * off / expected;
  }
  EXPECT_LT(chi_square, kOneInAMillion);
}

/// samplers/negative_samplers/SAMPLERS.md 17.
TEST(ListDraws, TheHardestOfMIsOfRankR) {
  for (const double m : {1.0, 3.0, 5.0}) {
    NegativeSet set = one_of(static_cast<std::int64_t>(m) * 2);
    set.lists = 2;
    expect_shares(set, [&](double r) {
      const double rows = kDrawRows;
      return std::pow((rows - r) / rows, m) - std::pow((rows - r - 1.0) / rows, m);
    });
  }
}

TEST(ListDraws, TheFirstViolatorIsAnyOfThem) {
  NegativeSet set = one_of(200);
  set.lower_score = at::full({kDrawQueries}, 0.55, at::kDouble);  // rows 0 to 4
  set.draws_as_listed = true;
  const std::vector<double> times = times_chosen(set);
  double chi_square = 0.0;
  for (std::size_t row = 0; row < 5; ++row) {
    chi_square += std::pow(times[row] - kDrawQueries / 5.0, 2.0) / (kDrawQueries / 5.0);
  }
  EXPECT_LT(chi_square, kOneInAMillion);
  for (std::size_t row = 5; row < 10; ++row) EXPECT_EQ(times[row], 0.0);
}

/// Of places that were drawn at random, one at random: whatever drew the slots does not show.
TEST(ListDraws, ARandomPlaceHoldsAnyRow) {
  NegativeSet set = one_of(8);
  set.draw_order = {By::kRandom, 1.0, 5, Purpose::kListChoice, 7};
  expect_shares(set, [](double) { return 1.0 / kDrawRows; });
}

/// Of a list that names every row once, softmax(2 s).
TEST(ListDraws, AGumbelDrawIsOfTheSoftmax) {
  NegativeSet set;
  set.slots = at::arange(kDrawRows, at::kLong).expand({kDrawQueries, kDrawRows}).contiguous();
  set.draws = 1;
  set.draw_order = {By::kGumbel, 2.0, 5, Purpose::kListChoice, 7};
  double sum = 0.0;
  for (std::int64_t row = 0; row < kDrawRows; ++row) sum += std::exp(2.0 - 0.2 * static_cast<double>(row));
  expect_shares(set, [&](double r) { return std::exp(2.0 - 0.2 * r) / sum; });
}

}  // namespace
}  // namespace negatron
