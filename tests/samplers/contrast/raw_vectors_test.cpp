// N-pair, NEG and NCE on raw vectors, as their papers have them, against their formulas written out and differentiated
// by autograd, over bank, batch and both.

#include <cmath>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/contrast/contrast_job.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kPairs = 6, kRawWidth = 5, kRawRows = 17;
constexpr double kPenalty = 0.03, kLogZ = 1.3;
constexpr const char* kLossNames[] = {"n-pair", "neg", "nce"};

/// [count, kRawWidth] of lengths 0.1 to 5.
at::Tensor raw_of(std::uint64_t seed, std::int64_t count) {
  return random_unit_rows(seed, 0, count, kRawWidth) * at::linspace(0.1, 5.0, count, at::kDouble).unsqueeze(1);
}

/// The negatives of query i: rows of the bank, then the other pairs' keys.
at::Tensor negatives_of(std::int64_t i, const at::Tensor& keys, const at::Tensor& bank, NegativeSource source) {
  std::vector<at::Tensor> parts;
  if (source != NegativeSource::kBatch) parts.push_back(bank);
  if (source != NegativeSource::kBank) parts.push_back(at::cat({keys.slice(0, 0, i), keys.slice(0, i + 1)}));
  return at::cat(parts);
}

/// By definition, of one query.
at::Tensor plain_loss(const std::string& name, const at::Tensor& q, const at::Tensor& k, const at::Tensor& negatives) {
  const at::Tensor positive = q.dot(k), scores = negatives.mv(q);
  if (name == "n-pair") return at::log1p((scores - positive).exp().sum()) + kPenalty * q.dot(q);
  if (name == "neg") return -positive.sigmoid().log() - (-scores).sigmoid().log().sum();
  // The posteriors of data and of noise: a model with log Z, and k noise samples out of M items, k = 7 and M = 30.
  constexpr double kNoise = 7.0 / 30.0;
  const auto model = [](const at::Tensor& s) { return (s - kLogZ).exp(); };
  const at::Tensor is_data = model(positive) / (model(positive) + kNoise);
  return -is_data.log() - (kNoise / (model(scores) + kNoise)).log().sum();
}

ContrastJob job_of(const std::string& name, NegativeSource source) {
  ContrastJob job;
  job.objective = name;
  if (name == "n-pair") job.objective_options = "l2=0.03";
  if (name == "nce") job.objective_options = "log-z-value=1.3,noise-count=7,items=30";
  job.normalise = false;
  job.raw_queries = raw_of(1, kPairs);
  job.raw_keys = (raw_of(1, kPairs) + 0.4 * raw_of(2, kPairs)).flip(0).contiguous();
  job.bank = source == NegativeSource::kBatch ? at::Tensor() : raw_of(3, kRawRows);
  job.source = source;
  job.train_keys = true;
  return job;
}

void expect_plain_loss(const std::string& name, NegativeSource source) {
  SCOPED_TRACE(name + " over " + name_of(source));
  const ContrastJob job = job_of(name, source);
  const at::Tensor queries = job.raw_queries.clone().requires_grad_();
  const at::Tensor keys = job.raw_keys.clone().requires_grad_();
  std::vector<at::Tensor> losses;
  for (std::int64_t i = 0; i < kPairs; ++i) {
    losses.push_back(plain_loss(name, queries[i], keys[i], negatives_of(i, keys, job.bank, source)));
  }
  const at::Tensor each = at::stack(losses);
  each.mean().backward();
  for (const int ranks : {1, 2, 3, 4}) {
    const ContrastAnswer answer = run_contrast(job, ranks);
    EXPECT_TRUE(at::allclose(answer.per_anchor, each.detach(), 1e-11, 1e-11)) << answer.per_anchor << each;
    EXPECT_TRUE(at::allclose(answer.raw_query_gradient, queries.grad(), 1e-10, 1e-11)) << ranks;
    EXPECT_TRUE(at::allclose(answer.raw_key_gradient, keys.grad(), 1e-10, 1e-11)) << ranks;
  }
}

TEST(RawVectors, LossAndGradientAreThoseOfTheFormulas) {
  for (const std::string name : kLossNames) {
    expect_plain_loss(name, NegativeSource::kBank);
    expect_plain_loss(name, NegativeSource::kBankAndBatch);
  }
  // In-batch NEG and NCE have both views as anchors; N-pair has the queries.
  expect_plain_loss("n-pair", NegativeSource::kBatch);
}

/// Unit vectors make the penalty a constant, raw ones do not.
TEST(RawVectors, ThePenaltyPullsAtTheLengthOfEachQuery) {
  ContrastJob job = job_of("n-pair", NegativeSource::kBank);
  const ContrastAnswer with = run_contrast(job, 3);
  job.objective_options = "l2=0";
  const ContrastAnswer without = run_contrast(job, 3);
  const auto pairs = static_cast<double>(kPairs);
  EXPECT_TRUE(at::allclose(with.per_anchor - without.per_anchor, kPenalty * job.raw_queries.square().sum(1)));
  EXPECT_TRUE(
      at::allclose(with.raw_query_gradient - without.raw_query_gradient, 2.0 * kPenalty / pairs * job.raw_queries));
}

}  // namespace
}  // namespace negatron::testing
