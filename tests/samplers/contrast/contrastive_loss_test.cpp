// What holds of every loss beside its gradient: identities, a plain twin in-batch, rows without negatives, refusals.

#include "samplers/contrast/contrastive_loss.h"

#include <cmath>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/contrast/exact_gradient.h"
#include "samplers/negative_samplers/registry.h"
#include "tests/samplers/contrast/trials.h"

namespace negatron::testing {
namespace {

ContrastJob bank_job(const std::string& objective, const std::string& options, double tau) {
  ContrastJob job;
  job.raw_queries = random_unit_rows(1, 0, 4, 5);
  job.raw_keys = random_unit_rows(1, 0, 4, 5) + random_unit_rows(2, 0, 4, 5);
  job.bank = random_unit_rows(3, 0, 13, 5);
  job.objective = objective;
  job.objective_options = options;
  job.temperature.tau = tau;
  return job;
}

ContrastJob batch_job(const std::string& objective, const std::string& options, double tau) {
  ContrastJob job = bank_job(objective, options, tau);
  job.bank = at::Tensor();
  job.source = NegativeSource::kBatch;
  job.train_keys = true;
  return job;
}

void expect_same_loss(const ContrastAnswer& a, const ContrastAnswer& b) {
  EXPECT_TRUE(at::allclose(a.per_anchor, b.per_anchor, 1e-11, 1e-12)) << a.per_anchor << b.per_anchor;
  EXPECT_TRUE(at::allclose(a.raw_query_gradient, b.raw_query_gradient, 1e-10, 1e-12));
  EXPECT_TRUE(at::allclose(a.raw_key_gradient, b.raw_key_gradient, 1e-10, 1e-12));
}

TEST(ContrastIdentities, HclWithoutConcentrationAndPriorIsInfoNce) {
  for (const bool in_batch : {false, true}) {
    const auto run = [&](const std::string& objective, const std::string& options) {
      return run_contrast(in_batch ? batch_job(objective, options, 0.2) : bank_job(objective, options, 0.2), 2);
    };
    const ContrastAnswer expected = run(in_batch ? "nt-xent" : "info-nce", "");
    expect_same_loss(run("hcl", "beta=0,tau-plus=0"), expected);
    expect_same_loss(run("hcl", "beta=0,tau-plus=0,weights=detached"), expected);
    expect_same_loss(run("debiased", "tau-plus=0"), expected);
    expect_same_loss(run("debiased", "tau-plus=0.01"), run("hcl", "beta=0,tau-plus=0.01"));
  }
}

/// By the definition: M times the mean of exp(s / tau) over all that the batch met, with its positives.
TEST(ContrastIdentities, NceTakesItsNormaliserFromTheFirstBatch) {
  ContrastJob job = bank_job("nce", "log-z=first-batch,items=1000,noise-count=13", 0.1);
  const auto unit = [](const at::Tensor& rows) { return rows / rows.norm(2, {1}, true); };
  const at::Tensor queries = unit(job.raw_queries);
  const at::Tensor scores =
      at::cat({queries.mm(job.bank.t()), (queries * unit(job.raw_keys)).sum(1, true)}, 1) / job.temperature.tau;
  const double log_z = std::log(1000.0 * scores.exp().mean().item<double>());
  std::ostringstream known;
  known << std::setprecision(17) << "log-z-value=" << log_z << ",items=1000,noise-count=13";
  for (int ranks = 1; ranks <= 5; ++ranks) {
    const ContrastAnswer found = run_contrast(job, ranks);
    ContrastJob given = job;
    given.objective_options = known.str();
    expect_same_loss(found, run_contrast(given, ranks));
    ContrastJob other = job;
    other.objective_options = "items=1000,noise-count=13";
    EXPECT_GT(std::abs(found.loss - run_contrast(other, ranks).loss), 0.1);
  }
}

/// The first batch decides, a second one does not, and a snapshot keeps it.
TEST(Nce, KeepsItsFirstNormaliser) {
  ObjectiveArguments arguments;
  arguments.temperature.dtype = at::kDouble;
  arguments.options = MethodOptions("--objective", describe_objective("nce").options, "log-z=first-batch,items=10");
  const auto objective = make_objective("nce", arguments);
  run_ranks(1, {}, [&](Communicator& comm) {
    Contrast contrast;
    contrast.anchors.positive = at::zeros({2}, at::kDouble);
    contrast.terms = {at::full({2}, std::log(3.0), at::kDouble)};
    contrast.count = at::full({2}, 3.0, at::kDouble);
    EXPECT_TRUE(objective->needs_first_look());
    EXPECT_TRUE(objective->state().numbers.empty());
    objective->take_first(comm, contrast);
  });
  EXPECT_FALSE(objective->needs_first_look());
  const NamedState state = objective->state();
  EXPECT_NEAR(state.number("nce_log_z"), std::log(10.0), 1e-14);
  const auto resumed = make_objective("nce", arguments);
  resumed->restore(state);
  EXPECT_FALSE(resumed->needs_first_look());
  EXPECT_EQ(resumed->state().number("nce_log_z"), state.number("nce_log_z"));
  resumed->restore({});
  EXPECT_TRUE(resumed->needs_first_look());
}

TEST(ContrastIdentities, DetachedWeightsOfHclLeaveTheLossAndScaleThePull) {
  const ContrastAnswer attached = run_contrast(bank_job("hcl", "beta=1,tau-plus=0.01", 0.5), 2);
  const ContrastAnswer detached = run_contrast(bank_job("hcl", "beta=1,tau-plus=0.01,weights=detached", 0.5), 2);
  EXPECT_TRUE(at::equal(attached.per_anchor, detached.per_anchor));
  EXPECT_FALSE(at::allclose(attached.unit_query_gradient, detached.unit_query_gradient, 1e-3, 1e-5));
}

TEST(ContrastIdentities, BankOfTheOtherKeysIsTheBatch) {
  // Query by query: its bank holds exactly the other samples' keys.
  const ContrastJob batch = batch_job("n-pair", "", 1.0);
  const ContrastAnswer together = run_contrast(batch, 2);
  for (std::int64_t i = 0; i < 4; ++i) {
    ContrastJob alone = bank_job("n-pair", "", 1.0);
    alone.raw_queries = batch.raw_queries.narrow(0, i, 1);
    alone.raw_keys = batch.raw_keys.narrow(0, i, 1);
    const at::Tensor keys = batch.raw_keys / batch.raw_keys.norm(2, {1}, true);
    alone.bank = at::cat({keys.narrow(0, 0, i), keys.narrow(0, i + 1, 3 - i)});
    EXPECT_NEAR(run_contrast(alone, 1).loss, together.per_anchor[i].item<double>(), 1e-13);
  }
}

/// NT-Xent by its definition over a dense matrix, gradient by autograd.
struct PlainNtXent {
  at::Tensor per_anchor;
  at::Tensor gradient;  // of the mean, with respect to unit views
};

PlainNtXent plain_nt_xent(const at::Tensor& views, double tau) {
  const at::Tensor z = views.clone().requires_grad_();
  const std::int64_t count = z.size(0);
  const at::Tensor logits = (z.mm(z.t()) / tau).masked_fill(at::eye(count, at::kBool), -1.0 / 0.0);
  const at::Tensor partner = (at::arange(count) + count / 2).remainder(count).unsqueeze(1);
  const at::Tensor loss = logits.logsumexp(1) - logits.gather(1, partner).squeeze(1);
  loss.mean().backward();
  return {loss.detach(), z.grad()};
}

TEST(ContrastInBatch, EqualsItsPlainTwinWithDuplicatesAndColdTemperature) {
  ContrastJob job = batch_job("nt-xent", "", 0.01);
  job.raw_queries = random_unit_rows(7, 0, 9, 3);
  job.raw_queries.narrow(0, 3, 3).copy_(job.raw_queries.narrow(0, 0, 3).clone());
  job.raw_keys = job.raw_queries.flip(0) + 0.3 * random_unit_rows(8, 0, 9, 3);
  const at::Tensor raw = at::cat({job.raw_queries, job.raw_keys});
  const PlainNtXent plain = plain_nt_xent(raw / raw.norm(2, {1}, true), 0.01);
  for (const int ranks : {1, 2, 4}) {
    const ContrastAnswer got = run_contrast(job, ranks);
    EXPECT_TRUE(at::allclose(got.per_anchor, plain.per_anchor, 1e-11, 1e-11));
    const at::Tensor gradient = at::cat({got.unit_query_gradient, got.unit_key_gradient});
    EXPECT_TRUE(at::allclose(gradient, plain.gradient, 1e-10, 1e-11)) << gradient - plain.gradient;
  }
}

TEST(ContrastInBatch, KeysOfAMomentumEncoderTakeNoGradient) {
  ContrastJob job = batch_job("nt-xent", "", 0.2);
  const ContrastAnswer both = run_contrast(job, 3);
  job.train_keys = false;
  const ContrastAnswer queries = run_contrast(job, 3);
  EXPECT_EQ(queries.loss, both.loss);
  EXPECT_TRUE(at::equal(queries.raw_query_gradient, both.raw_query_gradient));
  EXPECT_EQ(queries.raw_key_gradient.abs().sum().item<double>(), 0.0);
}

TEST(ContrastWithoutNegatives, LeavesThePositiveAndNoNaN) {
  for (const Trial& trial : all_trials(at::kDouble)) {
    SCOPED_TRACE(trial.name);
    ContrastJob job = trial.job;
    // One sample alone in its batch, and a sampler that picks no row.
    for (at::Tensor* tensor : {&job.raw_queries, &job.raw_keys, &job.labels}) *tensor = tensor->narrow(0, 0, 1).clone();
    job.adjust = [](NegativeRequest& request, const QueryBatch&) { request.sets.clear(); };
    for (const int ranks : {1, 2}) {
      const ContrastAnswer got = run_contrast(job, ranks);
      EXPECT_TRUE(std::isfinite(got.loss)) << got.loss;
      EXPECT_TRUE(got.raw_query_gradient.isfinite().all().item<bool>()) << got.raw_query_gradient;
      EXPECT_TRUE(got.raw_key_gradient.isfinite().all().item<bool>()) << got.raw_key_gradient;
      for (const double gradient : got.parameter_gradients) EXPECT_TRUE(std::isfinite(gradient));
      // Where the partner is one of the rows, it is left.
      if (job.objective != "soft-nn") {
        EXPECT_EQ(got.negative_similarity, 0.0);
      }
      EXPECT_EQ(got.correct, 1);
      if (job.objective == "info-nce" || job.objective == "hcl") {
        EXPECT_EQ(got.loss, 0.0);
      }
      if (job.objective == "dcl") {
        EXPECT_NEAR(got.loss, -got.positive.mean().item<double>() / 0.4, 1e-12);
      }
    }
  }
}

TEST(ContrastWithoutNegatives, AFullyMaskedRowDoesNotTouchTheOthers) {
  ContrastJob job = bank_job("hcl", "beta=1,tau-plus=0.01", 0.3);
  job.labels = at::tensor({0, 1, 1, 1}, at::kLong);
  job.bank_labels = at::zeros({13}, at::kLong);
  const ContrastAnswer open = run_contrast(job, 2);
  job.adjust = [](NegativeRequest& request, const QueryBatch&) { request.label_rule = LabelRule::kDifferent; };
  const ContrastAnswer masked = run_contrast(job, 2);
  EXPECT_EQ(masked.per_anchor[0].item<double>(), 0.0);
  EXPECT_EQ(masked.raw_query_gradient[0].abs().sum().item<double>(), 0.0);
  EXPECT_TRUE(at::allclose(masked.per_anchor.narrow(0, 1, 3), open.per_anchor.narrow(0, 1, 3), 1e-13, 1e-13));
  EXPECT_EQ(masked.count[0].item<double>(), 0.0);
}

TEST(ContrastSelfAdversarial, WeighsBankAndBatchTogether) {
  ContrastJob job = bank_job("neg", "", 0.5);
  job.source = NegativeSource::kBankAndBatch;
  job.sampler = "self-adversarial";
  job.sampler_options = "alpha=3";
  const ContrastAnswer got = run_contrast(job, 3);
  const auto unit = [](const at::Tensor& raw) { return raw / raw.norm(2, {1}, true); };
  const at::Tensor queries = unit(job.raw_queries);
  const at::Tensor keys = unit(job.raw_keys);
  for (std::int64_t i = 0; i < 4; ++i) {
    const at::Tensor others = at::cat({job.bank, keys.narrow(0, 0, i), keys.narrow(0, i + 1, 3 - i)});
    const at::Tensor scores = others.mv(queries[i]);
    const at::Tensor expected = ((scores * 3.0).softmax(0) * (scores / 0.5).exp().log1p()).sum();
    EXPECT_NEAR(got.terms[0][i].item<double>(), expected.item<double>(), 1e-12);
  }
}

TEST(ContrastLabels, ArePositivesInBankAndBatchAlike) {
  ContrastJob job = bank_job("supcon", "", 0.5);
  job.source = NegativeSource::kBankAndBatch;
  job.labels = at::tensor({0, 1, 1, -1}, at::kLong);
  job.bank_labels = at::tensor({0, 0, 0, 1, 1, -1, -1, 2, 2, 2, 2, 2, 2}, at::kLong);
  const ContrastAnswer got = run_contrast(job, 2);
  // Of the first: 3 in the bank. Of the next two: 2 in the bank and the other's key. Unknown labels match nothing.
  EXPECT_TRUE(at::equal(got.terms[2], at::tensor({3.0, 3.0, 3.0, 0.0}, at::kDouble)));
  EXPECT_EQ(got.metrics.at("positives"), 13.0);
}

TEST(ContrastRefusals, NameWhatDoesNotFit) {
  run_ranks(1, {}, [](Communicator& comm) {
    const auto make = [](const std::string& name, NegativeSource source) {
      const ObjectiveDescription& description = describe_objective(name);
      ObjectiveArguments arguments;
      arguments.options = MethodOptions(name, description.options, "");
      arguments.temperature.learned = name == "info-nce";
      SamplerArguments sampler;
      sampler.options = MethodOptions("", describe_sampler("whole-bank").options, "");
      return ContrastiveLoss(description, source, make_objective(name, arguments), make_sampler("whole-bank", sampler));
    };
    ContrastBatch batch;
    batch.shares.sizes = {4};
    const at::Tensor queries = random_unit_rows(1, 0, 4, 5);
    const at::Tensor keys = random_unit_rows(2, 0, 4, 5);
    const auto run = [&](ContrastiveLoss loss, const at::Tensor& own_keys) {
      loss.begin(comm, nullptr, batch, queries).finish(own_keys);
    };
    EXPECT_THROW(run(make("info-nce", NegativeSource::kBank), keys), std::invalid_argument);
    EXPECT_THROW(run(make("soft-nn", NegativeSource::kBatch), keys), std::invalid_argument);
    EXPECT_NO_THROW(run(make("nt-xent", NegativeSource::kBatch), keys));
    batch.shares.sizes = {5};
    EXPECT_THROW(run(make("nt-xent", NegativeSource::kBatch), keys), std::invalid_argument);
    batch.shares.sizes = {4};
    EXPECT_THROW(run(make("nt-xent", NegativeSource::kBatch), random_unit_rows(2, 0, 3, 5)), std::invalid_argument);
    EXPECT_THROW(ContrastiveLoss(describe_objective("byol"), NegativeSource::kNone, nullptr, nullptr),
                 std::invalid_argument);
  });
  ContrastJob job = bank_job("info-nce", "", 0.2);
  job.temperature.learned = true;
  job.adjust = [](NegativeRequest& request, const QueryBatch&) {
    request.mixes = MixRecipe{};
    request.mixes->hard = 4;
    request.mixes->query_mixes = 2;
    request.mixes->attached = true;
  };
  EXPECT_THROW(run_contrast(job, 2), std::invalid_argument);
}

TEST(KnownGradients, AreScaledByWhatArrives) {
  const at::Tensor input = at::ones({2}).requires_grad_();
  const at::Tensor fixed = at::ones({2});
  const at::Tensor loss =
      with_known_gradients(at::scalar_tensor(7.0), {{input, at::tensor({3.0F, 5.0F})}, {fixed, fixed}});
  EXPECT_EQ(loss.item<float>(), 7.0F);
  (loss * 2.0).backward();
  EXPECT_TRUE(at::equal(input.grad(), at::tensor({6.0F, 10.0F})));
}

}  // namespace
}  // namespace negatron::testing
