// The gradient of the loss itself by the rows that queries met, where rows are trained with the encoder: by central
// differences across ranks for every way in which a query meets a row, and the same on any number of ranks.

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/samplers/contrast/row_jobs.h"

namespace negatron::testing {
namespace {

ContrastJob following_job(const std::string& objective, const std::string& sampler, const std::string& options) {
  ContrastJob job = job_over_rows(5, 11);
  job.objective = objective;
  job.sampler = sampler;
  job.sampler_options = options;
  job.rows_follow = true;
  return job;
}

Slopes slopes_of_loss(const ContrastJob& job, int ranks) {
  return slopes_by_rows(job, ranks, [](const ContrastAnswer& answer) { return answer.loss; });
}

struct Following {
  std::string objective;
  std::string sampler;
  std::string options;
};

/// Log-sum-exps, one and two of them; sums, of logistic losses and of hinges with an offset by the positive; softmax
/// means; over all rows, windows, draws and lists.
const std::vector<Following> kFollowing = {
    {"info-nce", "whole-bank", ""},
    {"info-nce", "top-n", "n=6,skip=1"},
    {"info-nce", "uniform", "m=6"},
    {"info-nce", "uniform", "m=6,stand-for-bank=on"},
    {"info-nce", "softmax", "m=4,temperature=0.5"},
    {"info-nce", "easy-hard", "rows=6,hard-share-start=0.4,anneal-epochs=8,skip-hardest=0.1"},
    {"hcl", "whole-bank", ""},
    {"dcl", "ring", "outer=0.7,inner=0.1"},
    {"siglip", "whole-bank", ""},
    {"neg", "uniform", "m=6"},
    {"nce", "whole-bank", ""},
    {"triplet", "semi-hard", "rule=below-margin"},
    {"margin-ranking", "whole-bank", ""},
    {"whole-data", "whole-bank", ""},
};

TEST(RowsFollow, GradientIsThatOfCentralDifferencesAcrossRanks) {
  for (const Following& one : kFollowing) {
    const ContrastJob job = following_job(one.objective, one.sampler, one.options);
    const at::Tensor found = run_contrast(job, 3).row_gradient;
    EXPECT_GT(found.abs().max().item<double>(), 1e-3) << one.objective << " " << one.sampler;
    EXPECT_LT(farthest(found, slopes_of_loss(job, 3)), 1e-8)
        << one.objective << " " << one.sampler << " " << one.options;
  }
  // The weights of a softmax mean are constants, which a difference of the loss cannot tell: that of a sum can.
  const ContrastJob weighed = following_job("siglip", "self-adversarial", "alpha=0");
  EXPECT_LT(farthest(run_contrast(weighed, 3).row_gradient, slopes_of_loss(weighed, 3)), 1e-8);
}

TEST(RowsFollow, TheSameOnAnyNumberOfRanks) {
  for (const Following& one : kFollowing) {
    for (const double tau : {0.01, 0.3}) {
      ContrastJob job = following_job(one.objective, one.sampler, one.options);
      job.temperature.tau = tau;
      // Two rows tie.
      job.bank[5] = job.bank[2];
      const ContrastAnswer alone = run_contrast(job, 1);
      for (const int ranks : {2, 3, 4, 6}) {
        EXPECT_TRUE(at::allclose(run_contrast(job, ranks).row_gradient, alone.row_gradient, 1e-12, 1e-12))
            << one.objective << " " << one.sampler << " " << one.options << " on " << ranks;
      }
    }
  }
}

/// Which row is the nearest is decided by the last bits of a score.
TEST(RowsFollow, TermsOfTheNearestRowAloneNeedFp64) {
  ContrastJob job = following_job("lifted", "whole-bank", "");
  job.objective_options = "negatives=max";
  const at::Tensor found = run_contrast(job, 3).row_gradient;
  EXPECT_LT(farthest(found, slopes_of_loss(job, 3)), 1e-7);
  for (at::Tensor* tensor : {&job.raw_queries, &job.raw_keys, &job.bank}) *tensor = tensor->to(at::kFloat);
  job.temperature.dtype = at::kFloat;
  EXPECT_THROW(run_contrast(job, 1), std::invalid_argument);
}

TEST(RowsFollow, TheLossIsWhatItIsWithout) {
  for (const Following& one : kFollowing) {
    ContrastJob job = following_job(one.objective, one.sampler, one.options);
    const ContrastAnswer following = run_contrast(job, 2);
    job.rows_follow = false;
    const ContrastAnswer fixed = run_contrast(job, 2);
    EXPECT_FALSE(fixed.row_gradient.defined());
    EXPECT_EQ(following.loss, fixed.loss);
    EXPECT_TRUE(at::equal(following.raw_query_gradient, fixed.raw_query_gradient));
  }
}

}  // namespace
}  // namespace negatron::testing
