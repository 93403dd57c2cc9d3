// The loss that learned rows raise: its gradient by the rows over all ranks, for every sampler, by central differences
// and against a plain bank on one device.

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "samplers/bank/row_geometry.h"
#include "samplers/negative_samplers/registry.h"
#include "tests/reference/plain_learned.h"
#include "tests/samplers/contrast/row_jobs.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kLearnedRows = 11;
constexpr std::int64_t kLearnedQueries = 5;

/// Rows 2 and 5 are equal, so that orders have a tie.
ContrastJob learned_job(const std::string& sampler, const std::string& options, double tau) {
  ContrastJob job = job_over_rows(kLearnedQueries, kLearnedRows);
  job.labels = at::arange(kLearnedQueries, at::kLong).remainder(3);
  job.bank[5] = job.bank[2];
  job.objective = "info-nce";
  job.sampler = sampler;
  job.sampler_options = options;
  job.rows_tau = tau;
  return job;
}

Slopes slopes_of_rows_loss(const ContrastJob& job, int ranks) {
  return slopes_by_rows(job, ranks, [](const ContrastAnswer& answer) {
    return answer.metrics.at("rows_loss") / static_cast<double>(kLearnedQueries);
  });
}

/// Every way in which a query can come to meet a row: all of them, windows of scores and ranks, draws, lists, weights.
const std::vector<std::pair<std::string, std::string>> kWays = {
    {"whole-bank", ""},
    {"top-n", "n=6,skip=1"},
    {"top-n", "n=8,skip=0,draw=4"},
    {"ring", "outer=0.7,inner=0.1"},
    {"uniform", "m=6"},
    {"uniform", "m=6,stand-for-bank=on"},
    {"softmax", "m=4,temperature=0.5"},
    {"easy-hard", "rows=6,hard-share-start=0.4,anneal-epochs=8,skip-hardest=0.1"},
    {"semi-hard", ""},
    {"max-sampling", "m=6"},
    {"self-adversarial", ""},
};

TEST(RowsLoss, GradientIsThatOfCentralDifferencesAcrossRanks) {
  for (const auto& [sampler, options] : kWays) {
    ContrastJob job = learned_job(sampler, options, 0.2);
    // A row that is moved must not change places with its twin.
    job.bank[5] = wave_rows(1, 9.0)[0];
    const at::Tensor found = run_contrast(job, 3).row_gradient;
    EXPECT_GT(found.abs().max().item<double>(), 1e-3) << sampler;
    EXPECT_LT(farthest(found, slopes_of_rows_loss(job, 3)), 1e-8) << sampler << " " << options;
  }
}

TEST(RowsLoss, GradientWithTheBatchAmongTheNegatives) {
  ContrastJob job = learned_job("whole-bank", "", 0.2);
  job.source = NegativeSource::kBankAndBatch;
  const at::Tensor found = run_contrast(job, 3).row_gradient;
  EXPECT_LT(farthest(found, slopes_of_rows_loss(job, 3)), 1e-8);
  job.source = NegativeSource::kBank;
  EXPECT_GT((found - run_contrast(job, 3).row_gradient).abs().max().item<double>(), 1e-4);
}

TEST(RowsLoss, IsTheSameOnAnyNumberOfRanks) {
  for (const auto& [sampler, options] : kWays) {
    for (const std::string objective : {"info-nce", "hcl", "siglip", "triplet"}) {
      ContrastJob job = learned_job(sampler, options, 0.05);
      job.objective = objective;
      const ContrastAnswer alone = run_contrast(job, 1);
      // 5 queries and 11 rows are no multiple of any of them, and some of 6 ranks have no query.
      for (const int ranks : {2, 3, 4, 6}) {
        const ContrastAnswer answer = run_contrast(job, ranks);
        EXPECT_TRUE(at::allclose(answer.row_gradient, alone.row_gradient, 1e-12, 1e-13))
            << sampler << " " << options << " " << objective << " on " << ranks;
        EXPECT_NEAR(answer.metrics.at("rows_loss"), alone.metrics.at("rows_loss"), 1e-12);
      }
    }
  }
}

/// What the objective learns must not notice that rows learn as well.
TEST(RowsLoss, LeavesTheObjectiveAlone) {
  for (const std::string objective : {"info-nce", "hcl", "siglip", "triplet", "dcl"}) {
    ContrastJob job = learned_job("whole-bank", "", 0.05);
    job.objective = objective;
    const ContrastAnswer learning = run_contrast(job, 2);
    job.rows_tau = 0.0;
    const ContrastAnswer fixed = run_contrast(job, 2);
    EXPECT_FALSE(fixed.row_gradient.defined());
    EXPECT_FALSE(fixed.metrics.contains("rows_loss"));
    EXPECT_NEAR(learning.loss, fixed.loss, 1e-13 * std::abs(fixed.loss)) << objective;
    EXPECT_TRUE(at::allclose(learning.raw_query_gradient, fixed.raw_query_gradient, 1e-12, 1e-14)) << objective;
    EXPECT_EQ(learning.terms.size(), fixed.terms.size());
  }
}

TEST(RowsLoss, IsThatOfAPlainBank) {
  // At 0.01 the logits of one row differ by up to 200.
  for (const double tau : {0.01, 0.02, 0.2, 5.0}) {
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{2}, kLearnedRows}) {
      ContrastJob job = learned_job("whole-bank", "", tau);
      job.bank = job.bank.narrow(0, 0, rows);
      const ContrastAnswer answer = run_contrast(job, 3);  // some shards are empty
      const at::Tensor raw = 1.7 * job.bank;
      const at::Tensor leaf = raw.clone().requires_grad_();
      const auto unit = [](const at::Tensor& all) { return all / all.norm(2, {1}, true); };
      const at::Tensor queries = unit(job.raw_queries);
      const at::Tensor positive = (queries * unit(job.raw_keys)).sum(1);
      const at::Tensor loss = PlainLearned::loss(leaf, queries, positive, tau);
      const at::Tensor expected = torch::autograd::grad({loss}, {leaf}).front();
      EXPECT_NEAR(answer.metrics.at("rows_loss") / kLearnedQueries, loss.item<double>(), 1e-12);
      EXPECT_TRUE(at::allclose(by_raw_rows(answer.row_gradient, raw), expected, 1e-10, 1e-14))
          << tau << ", " << rows << " rows";
    }
  }
}

TEST(RowsLoss, OfOneQueryAndOfNone) {
  ContrastJob job = learned_job("whole-bank", "", 0.2);
  job.raw_queries = job.raw_queries.narrow(0, 0, 1);
  job.raw_keys = job.raw_keys.narrow(0, 0, 1);
  job.labels = job.labels.narrow(0, 0, 1);
  const ContrastAnswer alone = run_contrast(job, 1);
  EXPECT_TRUE(at::allclose(run_contrast(job, 4).row_gradient, alone.row_gradient, 1e-12, 1e-14));
  // A query that meets no row asks nothing of any.
  job.adjust = [](NegativeRequest& request, const QueryBatch& batch) {
    request.sets.resize(1);
    request.sets[0] = NegativeSet{};
    request.sets[0].slots = at::full({batch.queries.size(0), 2}, -1, at::kLong);
  };
  const ContrastAnswer none = run_contrast(job, 2);
  EXPECT_EQ(none.row_gradient.abs().max().item<double>(), 0.0);
  EXPECT_EQ(none.metrics.at("rows_loss"), 0.0);
}

}  // namespace
}  // namespace negatron::testing
