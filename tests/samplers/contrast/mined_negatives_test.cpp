// What was mined for a query against autograd doing all of it literally, and central differences for the objectives
// that have other terms.

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/contrast/contrast_job.h"
#include "tests/samplers/contrast/slopes.h"
#include "tests/samplers/contrast/trials.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kMinedQueries = 7;
constexpr std::int64_t kMinedWidth = 5;
constexpr std::int64_t kMinedEach = 3;

/// 7 queries, so that ranks have unlike shares; one of the mined ones is the query itself, another one is there twice.
ContrastJob mined_job() {
  ContrastJob job;
  job.raw_queries = 1.7 * random_unit_rows(1, 0, kMinedQueries, kMinedWidth).to(at::kDouble);
  job.raw_keys = job.raw_queries + random_unit_rows(2, 0, kMinedQueries, kMinedWidth).to(at::kDouble);
  job.raw_mined = 0.6 * random_unit_rows(3, 0, kMinedQueries * kMinedEach, kMinedWidth)
                            .to(at::kDouble)
                            .view({kMinedQueries, kMinedEach, kMinedWidth});
  job.raw_mined[2][1].copy_(job.raw_queries[2]);
  job.raw_mined[4][0].copy_(job.raw_mined[4][2]);
  job.bank = random_unit_rows(4, 0, 11, kMinedWidth).to(at::kDouble);
  job.objective = "info-nce";
  job.train_keys = true;
  return job;
}

/// The gradients of one loss by autograd.
struct LiteralAnswer {
  double loss = 0.0;
  at::Tensor by_queries;
  at::Tensor by_keys;
  at::Tensor by_mined;
};

/// InfoNCE of each query over its mined ones, and the bank and the keys of the other queries where these are met.
LiteralAnswer literally(const ContrastJob& job, bool meets_bank, bool meets_batch) {
  const auto leaf = [](const at::Tensor& raw) { return raw.clone().requires_grad_(); };
  const auto unit = [](const at::Tensor& raw) { return raw / raw.norm(2, {-1}, true); };
  const at::Tensor queries = leaf(job.raw_queries), keys = leaf(job.raw_keys), mined = leaf(job.raw_mined);
  const at::Tensor q = unit(queries), k = unit(keys);
  std::vector<at::Tensor> scores{(q * k).sum(1, true), unit(mined).bmm(q.unsqueeze(2)).squeeze(2)};
  if (meets_bank) scores.push_back(q.mm(job.bank.t()));
  if (meets_batch) {
    const at::Tensor own = at::eye(kMinedQueries, at::kBool);
    scores.push_back(q.mm(k.t()).masked_fill(own, -1e9));
  }
  const at::Tensor logits = at::cat(scores, 1) / job.temperature.tau;
  const at::Tensor loss = (at::logsumexp(logits, 1) - logits.select(1, 0)).mean();
  loss.backward();
  return {loss.item<double>(), queries.grad(), keys.grad(), mined.grad()};
}

void expect_literal(const ContrastJob& job, bool meets_bank, bool meets_batch) {
  const LiteralAnswer expected = literally(job, meets_bank, meets_batch);
  for (const int ranks : {1, 2, 3, 4}) {
    SCOPED_TRACE(::testing::Message() << ranks << " ranks, tau " << job.temperature.tau);
    const ContrastAnswer actual = run_contrast(job, ranks);
    EXPECT_NEAR(actual.loss, expected.loss, 1e-12 * std::max(1.0, expected.loss));
    EXPECT_TRUE(at::allclose(actual.raw_query_gradient, expected.by_queries, 1e-9, 1e-11));
    EXPECT_TRUE(at::allclose(actual.raw_key_gradient, expected.by_keys, 1e-9, 1e-11));
    EXPECT_TRUE(at::allclose(actual.raw_mined_gradient, expected.by_mined, 1e-9, 1e-11));
  }
}

TEST(MinedNegatives, AreMetAndTrainedAloneOrBesideBankAndBatch) {
  for (const double tau : {0.5, 0.07, 0.01}) {
    ContrastJob job = mined_job();
    job.temperature.tau = tau;
    job.sampler = "ance";
    expect_literal(job, false, false);
    job.sampler_options = "bank=on";
    expect_literal(job, true, false);
    job.source = NegativeSource::kBankAndBatch;
    expect_literal(job, true, true);
  }
}

TEST(MinedNegatives, AloneNeedNoMessage) {
  ContrastJob job = mined_job();
  job.sampler = "ance";
  for (const char* objective : {"info-nce", "hcl", "supcon"}) {
    job.objective = objective;
    job.labels = at::arange(kMinedQueries, at::kLong);
    EXPECT_EQ(run_contrast(job, 3).collectives, 0) << objective;
  }
  job.sampler_options = "bank=on";
  EXPECT_GT(run_contrast(job, 3).collectives, 0);
}

TEST(MinedNegatives, OfASingleQueryLeaveTheOtherRanksWithNone) {
  ContrastJob job = mined_job();
  for (at::Tensor* rows : {&job.raw_queries, &job.raw_keys, &job.raw_mined}) *rows = rows->narrow(0, 2, 1).clone();
  job.sampler = "ance";
  expect_literal(job, false, false);
}

TEST(MinedNegatives, CountAsSamplesInWhatIsReported) {
  ContrastJob job = mined_job();
  job.sampler = "ance";
  // Its mined ones hold the query itself, which no positive beats; another one's are all worse than its positive.
  job.raw_keys = job.raw_queries.clone();
  job.raw_keys[2].copy_(job.raw_mined[2][0]);
  const ContrastAnswer answer = run_contrast(job, 2);
  EXPECT_EQ(answer.correct, kMinedQueries - 1);
  EXPECT_TRUE(at::equal(answer.count.to(at::kLong), at::full({kMinedQueries}, kMinedEach, at::kLong)));
  const auto unit = [](const at::Tensor& raw) { return raw / raw.norm(2, {-1}, true); };
  const at::Tensor scores = unit(job.raw_mined).bmm(unit(job.raw_queries).unsqueeze(2)).squeeze(2);
  EXPECT_NEAR(answer.metrics.at("mined_similarity"), scores.mean(1).sum().item<double>(), 1e-12);
}

TEST(MinedNegatives, OfTheQuerysOwnSampleAreNotMet) {
  ContrastJob job = mined_job();
  job.sampler = "ance";
  job.ids = at::arange(kMinedQueries, at::kLong);
  job.mined_ids = (job.ids.unsqueeze(1) + at::arange(1, 1 + kMinedEach, at::kLong)).remainder(kMinedQueries);
  job.mined_ids[3][1] = 3;
  job.mined_ids[5].fill_(5);
  ContrastJob without = job;
  without.mined_ids = without.ids = at::Tensor();
  // So far off that its share of the softmax is below the last bit.
  without.temperature.tau = job.temperature.tau = 0.02;
  for (const auto& [query, place] : {std::pair{3, 1}, {5, 0}, {5, 1}, {5, 2}}) {
    without.raw_mined[query][place].copy_(-job.raw_queries[query]);
  }
  for (const int ranks : {1, 3}) {
    const ContrastAnswer actual = run_contrast(job, ranks);
    const ContrastAnswer expected = run_contrast(without, ranks);
    EXPECT_NEAR(actual.loss, expected.loss, 1e-12 * expected.loss);
    EXPECT_TRUE(at::allclose(actual.raw_query_gradient, expected.raw_query_gradient, 1e-9, 1e-11));
    EXPECT_EQ(actual.raw_mined_gradient[3][1].abs().max().item<double>(), 0.0);
    EXPECT_EQ(actual.raw_mined_gradient[5].abs().max().item<double>(), 0.0);
    EXPECT_EQ(actual.count[5].item<double>(), 0.0);
    EXPECT_EQ(actual.count[3].item<double>(), 2.0);
  }
}

/// One query of label 0 and three mined samples, of which the first two have its label: by the definition of SupCon.
TEST(MinedNegatives, OfTheQuerysLabelAreFurtherPositivesWhereThereAreSuch) {
  ContrastJob job = mined_job();
  job.sampler = "ance";
  job.objective = "supcon";
  job.temperature.tau = 0.3;
  job.labels = at::tensor({0, 1, 0, 2, 1, -1, 2}, at::kLong);
  job.mined_labels = at::tensor({0, 0, 1, 1, 0, 2, 2, 1, 1, 0, 1, 2, 1, 1, 1, -1, -1, 0, 0, 1, 0}, at::kLong)
                         .view({kMinedQueries, kMinedEach});
  const auto leaf = [](const at::Tensor& raw) { return raw.clone().requires_grad_(); };
  const auto unit = [](const at::Tensor& raw) { return raw / raw.norm(2, {-1}, true); };
  const at::Tensor queries = leaf(job.raw_queries), mined = leaf(job.raw_mined);
  const at::Tensor own = (unit(queries) * unit(job.raw_keys)).sum(1, true) / 0.3;
  const at::Tensor others = unit(mined).bmm(unit(queries).unsqueeze(2)).squeeze(2) / 0.3;
  const at::Tensor label = job.labels.unsqueeze(1);
  const at::Tensor is_positive = ((job.mined_labels == label) & (label >= 0)).to(at::kDouble);
  const at::Tensor positives = (own.squeeze(1) + (others * is_positive).sum(1)) / (1.0 + is_positive.sum(1));
  const at::Tensor loss = (at::logsumexp(at::cat({own, others}, 1), 1) - positives).mean();
  loss.backward();
  for (const int ranks : {1, 2, 4}) {
    const ContrastAnswer actual = run_contrast(job, ranks);
    EXPECT_NEAR(actual.loss, loss.item<double>(), 1e-12);
    EXPECT_TRUE(at::allclose(actual.raw_query_gradient, queries.grad(), 1e-9, 1e-11));
    EXPECT_TRUE(at::allclose(actual.raw_mined_gradient, mined.grad(), 1e-9, 1e-11));
    // Two, none, one, none, all, none of an unknown label and none.
    EXPECT_NEAR(actual.metrics.at("mined_same_label"), is_positive.mean(1).sum().item<double>(), 1e-12);
  }
}

TEST(MinedNegatives, AreScoredInDoublePrecisionWhereATermIsSharp) {
  ContrastJob job = mined_job();
  job.raw_mined[2][1].copy_(job.raw_mined[0][1]);
  job.sampler = "ance";
  job.sampler_options = "bank=on";
  for (const auto& [objective, options] : {std::pair{"lifted", "negatives=max,alpha=1.5"}, {"info-nce", ""}}) {
    job.objective = objective;
    job.objective_options = options;
    job.temperature.tau = 0.01;
    const ContrastAnswer expected = run_contrast(job, 1);
    ContrastJob single = job;
    for (at::Tensor* rows : {&single.raw_queries, &single.raw_keys, &single.raw_mined, &single.bank}) {
      *rows = rows->to(at::kFloat);
    }
    single.temperature.dtype = at::kFloat;
    for (const int ranks : {1, 3}) {
      const ContrastAnswer actual = run_contrast(single, ranks);
      EXPECT_NEAR(actual.loss, expected.loss, 1e-4 * std::abs(expected.loss)) << objective;
      const at::Tensor gap = actual.raw_mined_gradient.to(at::kDouble) - expected.raw_mined_gradient;
      EXPECT_LT(gap.norm().item<double>(), 1e-3 * expected.raw_mined_gradient.norm().item<double>()) << objective;
    }
  }
}

/// Every objective over a bank, with all its options: terms of every shape and reduction, by label, with a first look,
/// with trained parameters.
TEST(MinedNegatives, HaveTheGradientOfEveryObjective) {
  constexpr double kMove = 1e-5;
  int compared = 0;
  for (const Trial& trial : all_trials(at::kDouble)) {
    ContrastJob job = trial.job;
    const bool has_bank = job.source == NegativeSource::kBank || job.source == NegativeSource::kBankAndBatch;
    if (!has_bank || holds_something_fixed(job)) continue;
    SCOPED_TRACE(trial.name);
    const std::int64_t queries = job.raw_queries.size(0);
    job.raw_mined =
        random_unit_rows(9, 0, queries * 2, job.raw_queries.size(1)).to(at::kDouble).view({queries, 2, -1}) * 1.3;
    job.mined_labels = at::arange(2 * queries, at::kLong).remainder(3).view({queries, 2});
    job.sampler = "ance";
    job.sampler_options = "bank=on";
    const Slopes by_mined = slopes_along(job.raw_mined, kMove, [&] { return run_contrast(job, 1).loss; });
    for (const int ranks : {1, 3}) {
      const ContrastAnswer actual = run_contrast(job, ranks);
      SCOPED_TRACE(::testing::Message() << ranks << " ranks");
      expect_slopes(actual.raw_mined_gradient, by_mined, 1e-6, 2e-8);
    }
    if (by_mined.values.norm().item<double>() > 1e-4) ++compared;
  }
  EXPECT_GE(compared, 20);
}

}  // namespace
}  // namespace negatron::testing
