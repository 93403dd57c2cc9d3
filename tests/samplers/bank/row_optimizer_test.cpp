// How rows that learn are trained: each optimizer against PyTorch's own or a plain loop, steps of some rows and of all,
// and what other ranks restore of it.

#include "samplers/bank/row_optimizer.h"

#include <cmath>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "comm/share.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

constexpr std::int64_t kTrainedRows = 13;
constexpr std::int64_t kTrainedWidth = 3;
constexpr std::int64_t kTrainedSteps = 6;

const std::vector<RowOptimizerKind> kOptimizers = {RowOptimizerKind::kSgd, RowOptimizerKind::kAdagrad,
                                                   RowOptimizerKind::kAdam};

at::Tensor trained_start() {
  return at::sin(at::arange(kTrainedRows * kTrainedWidth, at::kDouble).view({kTrainedRows, kTrainedWidth}) * 1.7) + 0.2;
}

/// By the raw rows. Row 4 has none at all.
at::Tensor raw_gradient(std::int64_t step) {
  at::Tensor gradient = at::cos(trained_start() * static_cast<double>(step + 3));
  gradient[4].zero_();
  return gradient;
}

/// Raw rows after the steps, as PyTorch or loops make them.
at::Tensor plain_steps(const RowOptimizer& optimizer) {
  at::Tensor rows = trained_start().requires_grad_();
  const double sign = optimizer.raises ? -1.0 : 1.0;
  if (optimizer.kind == RowOptimizerKind::kAdagrad) {
    const at::NoGradGuard no_grad;
    at::Tensor squares = at::zeros({kTrainedRows}, at::kDouble);
    for (std::int64_t step = 0; step < kTrainedSteps; ++step) {
      const at::Tensor gradient = sign * raw_gradient(step);
      rows *= 1.0 - optimizer.rate * optimizer.weight_decay;
      for (std::int64_t row = 0; row < kTrainedRows; ++row) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < kTrainedWidth; ++i) sum += std::pow(gradient[row][i].item<double>(), 2);
        squares[row] += sum / kTrainedWidth;
        rows[row] -= optimizer.rate * gradient[row] / (std::sqrt(squares[row].item<double>()) + 1e-10);
      }
    }
    return rows.detach();
  }
  std::unique_ptr<torch::optim::Optimizer> theirs;
  if (optimizer.kind == RowOptimizerKind::kSgd) {
    theirs = std::make_unique<torch::optim::SGD>(
        std::vector{rows},
        torch::optim::SGDOptions(optimizer.rate).momentum(optimizer.momentum).weight_decay(optimizer.weight_decay));
  } else {
    theirs = std::make_unique<torch::optim::AdamW>(std::vector{rows}, torch::optim::AdamWOptions(optimizer.rate)
                                                                          .betas({optimizer.momentum, 0.999})
                                                                          .weight_decay(optimizer.weight_decay));
  }
  for (std::int64_t step = 0; step < kTrainedSteps; ++step) {
    rows.mutable_grad() = sign * raw_gradient(step);
    theirs->step();
  }
  return rows.detach();
}

TEST(RowOptimizer, StepsAreThoseOfPyTorchAndOfLoops) {
  for (const RowOptimizerKind kind : kOptimizers) {
    for (const bool raises : {false, true}) {
      for (const double decay : {0.0, 0.03}) {
        const RowOptimizer optimizer{0.2, 0.8, decay, kind, raises};
        const at::Tensor raw = trained_start();
        const at::Tensor moments = at::zeros({kTrainedRows, moments_width(kind, kTrainedWidth)}, at::kDouble);
        for (std::int64_t step = 0; step < kTrainedSteps; ++step) {
          step_rows(optimizer, raw, moments, raw_gradient(step));
        }
        EXPECT_TRUE(at::allclose(raw, plain_steps(optimizer), 1e-12, 1e-12))
            << static_cast<int>(kind) << " raises " << raises << " decay " << decay;
      }
    }
  }
}

Bank bank_of(RowOptimizerKind kind, int rank, int ranks) {
  BankOptions options{kTrainedRows,         kTrainedWidth, at::kDouble, at::kCPU, BankFill::kRandom, 3, 6,
                      BankKind::kParametric};
  options.row_optimizer = kind;
  return Bank(options, rank, ranks);
}

/// Rows 1, 4 and 11 of all, by the rows as they score.
GradientOfRows gradient_of_some(std::int64_t step) {
  const at::Tensor rows = at::tensor({1, 4, 11}, at::kLong);
  return {rows, at::cos(trained_start() * static_cast<double>(step + 2)).index_select(0, rows)};
}

/// Those of them that a rank owns.
GradientOfRows own_gradient(const Bank& bank, const GradientOfRows& all) {
  const Range own = share(kTrainedRows, bank.layout().ranks(), bank.rank());
  const at::Tensor mine = ((all.rows >= own.begin) & (all.rows < own.end)).nonzero().squeeze(1);
  return {all.rows.index_select(0, mine) - own.begin, all.values.index_select(0, mine)};
}

TEST(RowOptimizer, RowsThatWereNotMetStayUnlessMomentumOrDecayMovesThem) {
  for (const RowOptimizerKind kind : kOptimizers) {
    const RowOptimizer optimizer{0.2, 0.8, 0.0, kind, false};
    Bank some = bank_of(kind, 0, 1);
    Bank all = bank_of(kind, 0, 1);
    all.train({{}, at::ones({kTrainedRows, kTrainedWidth}, at::kDouble)}, optimizer, 0);
    some.train({{}, at::ones({kTrainedRows, kTrainedWidth}, at::kDouble)}, optimizer, 0);
    const BankShard before = some.shard();
    const at::Tensor raw = before.raw.clone();
    const at::Tensor moments = before.moments.clone();
    some.train(gradient_of_some(0), optimizer, 5);
    // A sampler that chooses by windows gives zeros for what no query met.
    all.train({{}, of_all_rows(gradient_of_some(0), kTrainedRows)}, optimizer, 5);
    EXPECT_TRUE(at::equal(some.shard().raw, all.shard().raw));
    EXPECT_TRUE(at::equal(some.shard().steps, all.shard().steps));
    EXPECT_TRUE(at::equal(some.shard().rows.vectors, scored_rows(some.shard().raw)));
    const bool moves = kind == RowOptimizerKind::kSgd;
    EXPECT_EQ(moves_unmet_rows(optimizer), moves);
    EXPECT_EQ(at::equal(some.shard().raw[2], raw[2]), !moves);
    EXPECT_EQ(at::equal(some.shard().moments[2], moments[2]), !moves);
    EXPECT_FALSE(at::equal(some.shard().raw[4], raw[4]));
    EXPECT_EQ(some.shard().steps[4].item<std::int64_t>(), 5);
    EXPECT_EQ(some.shard().steps[2].item<std::int64_t>(), moves ? 5 : 0);
    EXPECT_EQ(some.written().count, kTrainedRows);
    EXPECT_EQ(some.written().step_sum, moves ? 5 * kTrainedRows : 15);
  }
  EXPECT_FALSE(moves_unmet_rows({0.2, 0.0, 0.0}));
  EXPECT_TRUE(moves_unmet_rows({0.2, 0.0, 0.1}));
}

TEST(RowOptimizer, MomentsAreRestoredOnAnyNumberOfRanks) {
  for (const RowOptimizerKind kind : kOptimizers) {
    const RowOptimizer optimizer{0.2, 0.8, 0.01, kind, false};
    Bank whole = bank_of(kind, 0, 1);
    for (std::int64_t step = 0; step < 3; ++step) whole.train(gradient_of_some(step), optimizer, step);
    const BankShard& shard = whole.shard();
    const BankBlock all{shard.rows.vectors.clone(), shard.ids.clone(), shard.rows.labels.clone(), shard.steps.clone(),
                        shard.rows.slots.clone(),   shard.raw.clone(), shard.moments.clone()};
    const BankRowReader read = [&](Range keys) { return part_of(all, keys.begin, keys.size()); };
    whole.train(gradient_of_some(3), optimizer, 3);
    for (const int ranks : {1, 2, 3, 4}) {
      for (int rank = 0; rank < ranks; ++rank) {
        Bank bank = bank_of(kind, rank, ranks);
        bank.restore(whole.layout().state(), read);
        bank.train(own_gradient(bank, gradient_of_some(3)), optimizer, 3);
        const Range own = share(kTrainedRows, ranks, rank);
        EXPECT_TRUE(at::allclose(bank.shard().raw, whole.shard().raw.slice(0, own.begin, own.end), 1e-15, 1e-15));
        EXPECT_TRUE(
            at::allclose(bank.shard().moments, whole.shard().moments.slice(0, own.begin, own.end), 1e-15, 1e-15));
        // Rows of samples: where one lies is arithmetic.
        EXPECT_EQ(bank.rows_with_ids(at::tensor({own.begin}, at::kLong)).size(0), own.size() > 0 ? 1 : 0);
      }
    }
    // What one optimizer remembers is nothing to another.
    const RowOptimizerKind other = kind == RowOptimizerKind::kAdam ? RowOptimizerKind::kSgd : RowOptimizerKind::kAdam;
    EXPECT_THROW(bank_of(other, 0, 1).restore(whole.layout().state(), read), std::invalid_argument);
    EXPECT_THROW(whole.train(gradient_of_some(0), {0.2, 0.8, 0.0, other}, 4), std::invalid_argument);
  }
}

TEST(RowOptimizer, EachLowersAndRaisesALoss) {
  for (const RowOptimizerKind kind : kOptimizers) {
    for (const bool raises : {false, true}) {
      const RowOptimizer optimizer{0.02, 0.8, 0.0, kind, raises};
      Bank bank = bank_of(kind, 0, 1);
      const at::Tensor target = random_unit_rows(9, 0, kTrainedRows, kTrainedWidth);
      const auto loss = [&] { return -(bank.shard().rows.vectors * target).sum().item<double>(); };
      const double before = loss();
      for (std::int64_t step = 0; step < 20; ++step) bank.train({{}, -target}, optimizer, step);
      EXPECT_GT((raises ? 1.0 : -1.0) * (loss() - before), 0.5) << static_cast<int>(kind);
    }
  }
}

TEST(GradientOfRows, SumsAndSpreads) {
  const auto rows = [](std::vector<std::int64_t> numbers) { return at::tensor(numbers, at::kLong); };
  const at::Tensor values = at::arange(8, at::kDouble).view({4, 2});
  const GradientOfRows some = summed_by_row(rows({3, 0, 3, 1}), values);
  EXPECT_TRUE(at::equal(some.rows, rows({0, 1, 3})));
  EXPECT_TRUE(at::equal(some.values, at::tensor({2.0, 3.0, 6.0, 7.0, 4.0, 6.0}, at::kDouble).view({3, 2})));
  const auto all = [] { return GradientOfRows{{}, at::ones({5, 2}, at::kDouble)}; };
  const at::Tensor spread = of_all_rows(some, 5);
  EXPECT_EQ(spread[2].abs().max().item<double>(), 0.0);
  EXPECT_TRUE(at::equal(sum_of(all(), some).values, spread + 1.0));
  EXPECT_TRUE(at::equal(sum_of(some, all()).values, spread + 1.0));
  EXPECT_TRUE(sum_of(some, all()).is_of_all());
  EXPECT_TRUE(at::equal(sum_of(all(), all()).values, 2.0 * all().values));
  EXPECT_TRUE(at::equal(of_met_rows({{}, spread}).rows, some.rows));
  EXPECT_TRUE(at::equal(of_met_rows({{}, spread}).values, some.values));
  EXPECT_TRUE(at::equal(of_all_rows(sum_of(some, some), 5), 2.0 * spread));
  EXPECT_TRUE(at::equal(of_all_rows(sum_of(some, {rows({2}), at::ones({1, 2}, at::kDouble)}), 5)[2],
                        at::ones({2}, at::kDouble)));
  EXPECT_TRUE(at::equal(sum_of({}, some).values, some.values));
  EXPECT_TRUE(at::equal(sum_of(all(), {}).values, all().values));
}

}  // namespace
}  // namespace negatron
