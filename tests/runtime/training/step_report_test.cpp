#include "runtime/training/step_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/training/contrast_setup.h"
#include "samplers/contrast/bank_mesh.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kQueries = 4;

Batch small_batch() {
  Batch batch;
  batch.ids = at::arange(kQueries, at::kLong);
  batch.labels = at::zeros({kQueries}, at::kLong);
  batch.epoch = 2;
  batch.global_size = kQueries;
  return batch;
}

ContrastOutput small_output(double loss) {
  ContrastOutput output;
  output.loss = at::scalar_tensor(loss, at::kDouble);
  output.positive_similarity = at::scalar_tensor(2.0, at::kDouble);
  output.negative_similarity = at::scalar_tensor(1.0, at::kDouble);
  output.correct = at::scalar_tensor(3.0, at::kDouble);
  output.metrics["clamped"] = at::scalar_tensor(4.0, at::kDouble);
  return output;
}

std::unique_ptr<ContrastiveLoss> small_loss() {
  PretrainOptions options;
  options.objective = "nt-xent";
  return make_contrastive_loss(options, resolve_contrast(options), at::kDouble, at::kCPU, 5);
}

TEST(StepReport, GivesMeansOverTheJobsQueriesAndAnchors) {
  run_ranks(1, CommunicatorOptions{}, [](Communicator& comm) {
    const auto loss = small_loss();
    StepReport report({2.0, 0}, comm, comm, nullptr, *loss);
    StepTimer timer;
    report.begin(small_batch(), 7, 0.0, 0.25, std::nan(""));
    EXPECT_FALSE(report.looks_at_hard_sets());
    const at::Tensor sums = report.sums(small_output(0.5));
    const StepMetrics metrics = report.finish(sums, 3, timer);
    EXPECT_EQ(metrics.step, 7);
    EXPECT_EQ(metrics.epoch, 2);
    EXPECT_EQ(metrics.learning_rate, 0.25);
    EXPECT_TRUE(std::isnan(metrics.momentum));
    EXPECT_EQ(metrics.loss, 0.5);
    EXPECT_EQ(metrics.positive_similarity, 0.5);
    EXPECT_EQ(metrics.negative_similarity, 0.25);
    EXPECT_EQ(metrics.proxy_accuracy, 0.75);
    EXPECT_EQ(metrics.method, (std::map<std::string, double>{{"clamped", 0.5}}));
    EXPECT_TRUE(std::isnan(metrics.bank_fill) && std::isnan(metrics.bank_age));
    EXPECT_EQ(metrics.skipped_steps, 3);
  });
}

TEST(StepReport, AddsUpOverRanksAndCountsTheBytesOfTheStep) {
  run_ranks(2, CommunicatorOptions{}, [](Communicator& comm) {
    const auto loss = small_loss();
    StepReport report({1.0, 0}, comm, comm, nullptr, *loss);
    StepTimer timer;
    at::Tensor before = at::ones({3}, at::kDouble);
    comm.all_reduce(before, ReduceOp::kSum);
    report.begin(small_batch(), 0, 0.0, 0.1, 0.9);
    const at::Tensor totals = report.sums(small_output(comm.rank() == 0 ? 1.0 : 2.0));
    comm.all_reduce(totals, ReduceOp::kSum);
    const StepMetrics metrics = report.finish(totals, 0, timer);
    EXPECT_EQ(metrics.loss, 3.0);
    EXPECT_EQ(metrics.momentum, 0.9);
    EXPECT_EQ(metrics.traffic.at("all_reduce").calls, 1);
    EXPECT_EQ(metrics.traffic.at("all_reduce").bytes_received, totals.numel() * 8);
  });
}

std::map<std::int64_t, std::int64_t> told_ages(const Bank& bank, Communicator& comm, Communicator& group,
                                               std::int64_t step, std::int64_t& together) {
  const auto loss = small_loss();
  StepReport report({1.0, 0}, comm, group, &bank, *loss);
  StepTimer timer;
  report.begin(small_batch(), step, 0.0, 0.1, 0.9);
  const at::Tensor totals = report.sums(small_output(1.0));
  comm.all_reduce(totals, ReduceOp::kSum);
  const StepMetrics metrics = report.finish(totals, 0, timer);
  together = metrics.ages_together;
  return metrics.rows_by_age;
}

using Ages = std::map<std::int64_t, std::int64_t>;

/// Row s of 11 was written at step 10 s, all but the first two, which no step wrote.
TEST(StepReport, TellsTheAgesOfRowsThatStayOnAnyNumberOfRanks) {
  for (const BankKind kind : {BankKind::kMemory, BankKind::kIndex}) {
    for (const int ranks : {1, 2, 3, 4}) {
      run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
        Bank bank({11, 3, at::kFloat, at::kCPU, BankFill::kRandom, 0, 11, kind}, comm.rank(), comm.size());
        const Range own = share(11, comm.size(), comm.rank());
        for (std::int64_t row = std::max<std::int64_t>(own.begin, 2); row < own.end; ++row) {
          bank.replace(at::full({1}, row - own.begin, at::kLong), at::ones({1, 3}), {}, 10 * row);
        }
        std::int64_t together = 0;
        // Ages are 0 to 80 at step 100, counted in pairs.
        EXPECT_EQ(told_ages(bank, comm, comm, 100, together),
                  (Ages{{0, 1}, {10, 1}, {20, 1}, {30, 1}, {40, 1}, {50, 1}, {60, 1}, {70, 1}, {80, 1}}));
        EXPECT_EQ(together, 2);
        EXPECT_TRUE(told_ages(bank, comm, comm, 101, together).empty());
      });
    }
  }
}

TEST(StepReport, TellsThatAllRowsOfALearnedBankAreAsOld) {
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    Bank bank({11, 3, at::kFloat, at::kCPU, BankFill::kRandom, 0, 11, BankKind::kLearned}, comm.rank(), comm.size());
    std::int64_t together = 0;
    EXPECT_TRUE(told_ages(bank, comm, comm, 0, together).empty()) << "no step wrote them";
    bank.train({{}, at::ones_like(bank.shard().rows.vectors)}, RowOptimizer{}, 49);
    EXPECT_EQ(told_ages(bank, comm, comm, 50, together), (Ages{{1, 11}}));
  });
}

TEST(StepReport, CountsTheRowsOfOneCopy) {
  run_ranks(4, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    BankMesh mesh(comm, 2);
    Bank bank({11, 3, at::kFloat, at::kCPU, BankFill::kRandom, 0, 11, BankKind::kMemory}, mesh.group().rank(), 2);
    const std::int64_t rows = share(11, 2, mesh.group().rank()).size();
    bank.replace(at::arange(rows, at::kLong), at::ones({rows, 3}), {}, 0);
    std::int64_t together = 0;
    EXPECT_EQ(told_ages(bank, comm, mesh.group(), 150, together), (Ages{{148, 11}}));
    EXPECT_EQ(together, 4);
  });
}

TEST(StepReport, LooksAtHardSetsEverySoManyStepsAndRemembersWhen) {
  run_ranks(1, CommunicatorOptions{}, [](Communicator& comm) {
    const auto loss = small_loss();
    BankOptions rows;
    rows.rows = 8;
    rows.width = 3;
    rows.dtype = at::kDouble;
    rows.global_batch = kQueries;
    const Bank bank(rows, 0, 1);
    StepReport report({1.0, 3}, comm, comm, &bank, *loss);
    report.begin(small_batch(), 5, 0.0, 0.1, 0.9);
    EXPECT_FALSE(report.looks_at_hard_sets());
    report.begin(small_batch(), 6, 0.0, 0.1, 0.9);
    EXPECT_TRUE(report.looks_at_hard_sets());
    EXPECT_EQ(report.last_look(), 0);
    EXPECT_FALSE(report.needs_accuracy());
    report.begin(small_batch(), 2 * kAccuracySteps, 0.0, 0.1, 0.9);
    EXPECT_TRUE(report.needs_accuracy());
    report.restore(3);
    EXPECT_EQ(report.last_look(), 3);
  });
}

}  // namespace
}  // namespace negatron::testing
