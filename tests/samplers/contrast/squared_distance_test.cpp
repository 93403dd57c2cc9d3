// Objectives over squared distances, against their formulas with the distances written out and differentiated by
// autograd: losses, gradients of queries, keys and rows, and the nearest rows, on any number of ranks.

#include "samplers/bank/squared_distance.h"

#include <cmath>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/contrast/contrast_job.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kQueriesFar = 6, kFarRows = 17, kPlaneWidth = 4;
constexpr double kFarTau = 0.5;

/// [count, d] of lengths 0.1 to 3, some of them twice.
at::Tensor points(std::uint64_t seed, std::int64_t count) {
  const at::Tensor all =
      random_unit_rows(seed, 0, count, kPlaneWidth) * at::linspace(0.1, 3.0, count, at::kDouble).unsqueeze(1);
  all[count - 1].copy_(all[0]);
  return all;
}

/// [n] -|q - n|^2 / 2 of one query.
at::Tensor scores_of(const at::Tensor& q, const at::Tensor& rows) {
  return (rows - q).square().sum(-1) * -0.5;
}

at::Tensor loss_by_definition(const std::string& objective, const at::Tensor& positive, const at::Tensor& negatives) {
  if (objective == "info-nce") {
    return at::log1p(((negatives - positive) / kFarTau).exp().sum());
  }
  if (objective == "neg") {
    return -(positive / kFarTau).sigmoid().log() - (-negatives / kFarTau).sigmoid().log().sum();
  }
  constexpr double kNoise = 7.0 / 30.0, kLogNormaliser = 1.3;
  const auto model = [](const at::Tensor& s) { return (s / kFarTau - kLogNormaliser).exp(); };
  return -(model(positive) / (model(positive) + kNoise)).log() - (kNoise / (model(negatives) + kNoise)).log().sum();
}

ContrastJob job_of_distances(const std::string& objective) {
  ContrastJob job;
  job.objective = objective;
  if (objective == "nce") job.objective_options = "log-z-value=1.3,noise-count=7,items=30";
  job.temperature.tau = kFarTau;
  job.normalise = false;
  job.raw_queries = distance_queries(points(1, kQueriesFar));
  job.raw_keys = distance_rows(points(2, kQueriesFar));
  job.bank = distance_rows(points(3, kFarRows));
  job.train_keys = true;
  job.rows_follow = true;
  return job;
}

/// `nearest` rows count of each query, in order of their distance.
void expect_distances(const std::string& objective, std::int64_t nearest) {
  SCOPED_TRACE(objective + ", " + std::to_string(nearest) + " nearest rows");
  const at::Tensor queries = points(1, kQueriesFar).requires_grad_();
  const at::Tensor keys = points(2, kQueriesFar).requires_grad_();
  const at::Tensor rows = points(3, kFarRows).requires_grad_();
  std::vector<at::Tensor> losses;
  for (std::int64_t i = 0; i < kQueriesFar; ++i) {
    const at::Tensor all = scores_of(queries[i], rows);
    const at::Tensor met = all.index_select(
        0, std::get<1>(all.detach().sort(/*stable=*/true, 0, /*descending=*/true)).narrow(0, 0, nearest));
    losses.push_back(loss_by_definition(objective, scores_of(queries[i], keys[i]), met));
  }
  const at::Tensor each = at::stack(losses);
  each.mean().backward();

  ContrastJob job = job_of_distances(objective);
  if (nearest < kFarRows) {
    job.sampler = "top-n";
    job.sampler_options = "n=" + std::to_string(nearest);
  }
  for (const int ranks : {1, 2, 3, 4}) {
    const ContrastAnswer answer = run_contrast(job, ranks);
    EXPECT_TRUE(at::allclose(answer.per_anchor, each.detach(), 1e-11, 1e-11)) << answer.per_anchor << each;
    const at::Tensor plain_queries = points(1, kQueriesFar).requires_grad_();
    distance_queries(plain_queries).backward(answer.raw_query_gradient);
    EXPECT_TRUE(at::allclose(plain_queries.grad(), queries.grad(), 1e-10, 1e-11)) << ranks;
    EXPECT_TRUE(at::allclose(by_distance_rows(answer.raw_key_gradient, keys.detach()), keys.grad(), 1e-10, 1e-11));
    EXPECT_TRUE(at::allclose(by_distance_rows(answer.row_gradient, rows.detach()), rows.grad(), 1e-10, 1e-11)) << ranks;
  }
}

TEST(SquaredDistance, LossAndGradientsAreThoseOfTheFormulas) {
  for (const char* objective : {"info-nce", "neg", "nce"}) {
    expect_distances(objective, kFarRows);
    expect_distances(objective, 5);
  }
}

TEST(SquaredDistance, IsTheWorkedExample) {
  const at::Tensor q = at::tensor({1.0, 0.0}, at::kDouble), n = at::tensor({0.0, 2.0}, at::kDouble);
  EXPECT_TRUE(at::equal(distance_rows(n), at::tensor({0.0, 2.0, -2.0, 1.0}, at::kDouble)));
  EXPECT_TRUE(at::equal(distance_queries(q), at::tensor({1.0, 0.0, 1.0, -0.5}, at::kDouble)));
  EXPECT_EQ(distance_rows(n).dot(distance_queries(q)).item<double>(), -2.5);
}

}  // namespace
}  // namespace negatron::testing
