// What objectives make of terms that are given: no bank, no batch, one rank.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "samplers/objectives/exact_softplus.h"
#include "samplers/objectives/rank_weight.h"
#include "samplers/objectives/registry.h"

namespace negatron {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::unique_ptr<Objective> make(const std::string& name, const std::string& options, double tau = 0.5) {
  ObjectiveArguments arguments;
  arguments.options = MethodOptions("--objective", describe_objective(name).options, options);
  arguments.temperature.tau = tau;
  return make_objective(name, arguments);
}

/// Scores [A, K] of negatives, from which the terms are taken by definition.
struct Given {
  at::Tensor positive;
  at::Tensor negatives;
};

Given scores() {
  return {at::tensor({0.9, 0.2, -0.3}, at::kDouble),
          at::tensor({0.5, -0.2, 0.1, 0.8, 0.8, 0.8, -0.9, -0.8, -0.95}, at::kDouble).view({3, 3})};
}

Contrast contrast_of(const Objective& objective, const Given& given, double progress = 0.0) {
  Contrast contrast;
  contrast.anchors.positive = given.positive;
  contrast.anchors.global_count = given.positive.size(0);
  contrast.anchors.progress = progress;
  for (const ObjectiveTerm& term : objective.terms(contrast.anchors)) {
    const at::Tensor values =
        summands(term.term, given.negatives, at::full({1, 1}, term.term.offset, at::kDouble)).value;
    contrast.terms.push_back(values.logsumexp(1));
  }
  contrast.count = at::full_like(given.positive, static_cast<double>(given.negatives.size(1)));
  return contrast;
}

ObjectiveLoss loss_of(const Objective& objective, const Contrast& contrast) {
  ObjectiveLoss loss;
  run_ranks(1, {}, [&](Communicator& comm) { loss = objective.loss(comm, contrast); });
  return loss;
}

at::Tensor values_of(const std::string& name, const std::string& options, double progress = 0.0) {
  const auto objective = make(name, options);
  return loss_of(*objective, contrast_of(*objective, scores(), progress)).per_anchor;
}

TEST(Softplus, IsExactInDoubleAndSafeAtInfinity) {
  at::Tensor x = at::tensor({-kInfinity, -800.0, -1.0, 0.0, 25.0, 800.0}, at::kDouble).requires_grad_();
  const at::Tensor y = exact_softplus(x);
  y.sum().backward();
  EXPECT_EQ(y[0].item<double>(), 0.0);
  EXPECT_DOUBLE_EQ(y[3].item<double>(), std::log(2.0));
  // 25 + e^-25: ATen's own drops the second summand.
  EXPECT_EQ(y[4].item<double>(), 25.0 + std::exp(-25.0));
  EXPECT_NE(y[4].item<double>(), 25.0);
  EXPECT_EQ(y[5].item<double>(), 800.0);
  EXPECT_EQ(x.grad()[0].item<double>(), 0.0);
  EXPECT_EQ(x.grad()[3].item<double>(), 0.5);
  EXPECT_EQ(x.grad()[5].item<double>(), 1.0);
}

TEST(Identities, HclWithoutConcentrationAndPriorIsInfoNce) {
  const at::Tensor expected = values_of("info-nce", "");
  EXPECT_TRUE(at::allclose(values_of("hcl", "beta=0,tau-plus=0"), expected, 1e-12, 1e-14));
  EXPECT_TRUE(at::allclose(values_of("debiased", "tau-plus=0"), expected, 1e-12, 1e-14));
  EXPECT_FALSE(at::allclose(values_of("hcl", "beta=1,tau-plus=0"), expected, 1e-3, 1e-3));
}

TEST(Identities, DebiasedIsHclWithoutConcentration) {
  EXPECT_TRUE(at::equal(values_of("debiased", "tau-plus=0.2"), values_of("hcl", "beta=0,tau-plus=0.2")));
}

TEST(Identities, DclIsInfoNceLessThePositive) {
  // L_DCL = log(exp(L_InfoNCE) - 1)
  EXPECT_TRUE(at::allclose(values_of("dcl", ""), values_of("info-nce", "").expm1().log(), 1e-12, 1e-12));
}

TEST(Identities, WeightsOfDclwAverageToOne) {
  const at::Tensor weights = (values_of("dcl", "") - values_of("dclw", "sigma=0.3")) / (scores().positive / 0.5) + 1.0;
  EXPECT_NEAR(weights.mean().item<double>(), 1.0, 1e-12);
  EXPECT_GT(weights.std().item<double>(), 0.1);
}

TEST(Hcl, AnnealsTheConcentrationToZero) {
  const auto with = [](const std::string& more, double progress) {
    return values_of("hcl", "tau-plus=0.1,beta=2" + more, progress);
  };
  const auto fixed = [](double beta) { return values_of("hcl", "tau-plus=0.1,beta=" + text_of(beta)); };
  EXPECT_TRUE(at::equal(with("", 0.7), fixed(2.0)));
  EXPECT_TRUE(at::equal(with(",anneal=linear", 0.0), fixed(2.0)));
  EXPECT_TRUE(at::allclose(with(",anneal=linear", 0.25), fixed(1.5), 1e-12, 0.0));
  EXPECT_TRUE(at::allclose(with(",anneal=linear", 1.0), fixed(0.0), 1e-12, 0.0));
  EXPECT_TRUE(at::equal(with(",anneal=steps", 0.05), fixed(2.0)));
  EXPECT_TRUE(at::allclose(with(",anneal=steps", 0.15), fixed(2.0 * 8.0 / 9.0), 1e-12, 0.0));
  EXPECT_TRUE(at::allclose(with(",anneal=steps", 0.95), fixed(0.0), 1e-12, 0.0));
}

TEST(Hcl, CountsWhatIsClamped) {
  const auto objective = make("hcl", "beta=1,tau-plus=0.5", 0.1);
  const ObjectiveLoss loss = loss_of(*objective, contrast_of(*objective, scores()));
  // The second anchor's negatives are far above its positive, the other two's prior outweighs them.
  EXPECT_EQ(loss.metrics.at("clamped").item<std::int64_t>(), 2);
}

TEST(RankWeight, IsHarmonicOrLogarithmic) {
  const at::Tensor ranks = at::tensor({0.0, 1.0, 2.0, 3.0, 8.0}, at::kDouble);
  const at::Tensor harmonic = at::tensor({0.0, 1.0, 1.5, 11.0 / 6.0, 761.0 / 280.0}, at::kDouble);
  EXPECT_TRUE(at::allclose(harmonic_rank_weight(ranks), harmonic, 1e-13, 1e-13));
  const at::Tensor logs = log_rank_weight(at::tensor({0.0, 1.0, 2.0, 1e9}, at::kDouble));
  EXPECT_TRUE(at::allclose(logs, at::tensor({0.0, 0.0, std::log(2.0), 10.0}, at::kDouble)));
}

}  // namespace
}  // namespace negatron
