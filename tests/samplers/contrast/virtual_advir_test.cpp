#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_virtual.h"
#include "tests/samplers/contrast/contrast_job.h"

#include <cmath>

#include <gtest/gtest.h>

// The virtual variant of AdvIR: the closed form against the power iteration that it is the limit of, its gradient
// against autograd and central differences with the movement held fixed, and what is met at the edges.

namespace negatron::testing {
namespace {

constexpr std::int64_t kVirtualAnchors = 5;
/// As a share of tau: the odds move by exp(2).
constexpr double kEpsilonOfTau = 1.0;
constexpr double kVirtualWeight = 0.7;

ContrastJob virtual_job(NegativeSource source, double tau) {
  ContrastJob job;
  job.raw_queries = random_unit_rows(11, 0, kVirtualAnchors, 5);
  // Two queries whose positive is the nearest by far, and others whose positive is one among many.
  job.raw_keys = random_unit_rows(12, 0, kVirtualAnchors, 5);
  job.raw_keys.narrow(0, 0, 2).add_(job.raw_queries.narrow(0, 0, 2), 2.0);
  if (source != NegativeSource::kBatch) job.bank = random_unit_rows(13, 0, 9, 5);
  job.objective = "advir";
  job.objective_options = "variant=virtual,weight=0.7,epsilon=" + std::to_string(kEpsilonOfTau * tau);
  job.temperature.tau = tau;
  job.source = source;
  job.train_keys = true;
  return job;
}

at::Tensor over_length(const at::Tensor& rows) {
  return rows / rows.norm(2, {1}, true);
}

/// [A, n, d] what each anchor meets, its positive first.
at::Tensor candidates_of(const ContrastJob& job, const at::Tensor& queries, const at::Tensor& keys) {
  const std::int64_t b = queries.size(0);
  std::vector<at::Tensor> all;
  const auto add = [&](std::vector<at::Tensor> met) {
    if (job.bank.defined()) met.push_back(job.bank);
    all.push_back(at::cat(met));
  };
  const auto row = [](const at::Tensor& rows, std::int64_t i) { return rows.narrow(0, i, 1); };
  if (job.source == NegativeSource::kBatch) {
    const at::Tensor views = at::cat({queries, keys});
    for (std::int64_t i = 0; i < 2 * b; ++i) {
      std::vector<at::Tensor> met = {row(views, (i + b) % (2 * b))};
      for (std::int64_t j = 0; j < 2 * b; ++j) {
        if (j % b != i % b) met.push_back(row(views, j));
      }
      add(met);
    }
  } else {
    for (std::int64_t i = 0; i < b; ++i) {
      std::vector<at::Tensor> met = {row(keys, i)};
      for (std::int64_t j = 0; j < b && job.source == NegativeSource::kBankAndBatch; ++j) {
        if (j != i) met.push_back(row(keys, j));
      }
      add(met);
    }
  }
  return at::stack(all);
}

at::Tensor anchors_of(const ContrastJob& job, const at::Tensor& queries, const at::Tensor& keys) {
  return job.source == NegativeSource::kBatch ? at::cat({queries, keys}) : queries;
}

/// [A] the whole loss with the movement held fixed.
at::Tensor virtual_losses(const ContrastJob& job, const at::Tensor& raw_queries, const at::Tensor& raw_keys,
                          const VirtualMoves& fixed) {
  const at::Tensor queries = over_length(raw_queries);
  const at::Tensor keys = over_length(raw_keys);
  const at::Tensor anchors = anchors_of(job, queries, keys);
  const at::Tensor candidates = candidates_of(job, queries, keys);
  const double tau = job.temperature.tau;
  return kVirtualWeight * plain_divergence(anchors, candidates, fixed, tau) -
         log_softmax_of(anchors, candidates, tau).select(1, 0);
}

VirtualMoves moves_of(const ContrastJob& job) {
  const at::Tensor queries = over_length(job.raw_queries);
  const at::Tensor keys = over_length(job.raw_keys);
  return plain_virtual_moves(anchors_of(job, queries, keys), candidates_of(job, queries, keys), job.temperature.tau,
                             kEpsilonOfTau * job.temperature.tau);
}

double share_off(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).norm() / expected.norm()).item<double>();
}

TEST(VirtualAdvIr, IsTheLimitOfPowerIterationWithItsGradient) {
  for (const NegativeSource source : {NegativeSource::kBank, NegativeSource::kBatch, NegativeSource::kBankAndBatch}) {
    for (const double tau : {0.5, 0.07, 0.01}) {
      SCOPED_TRACE(::testing::Message() << name_of(source) << ", tau " << tau);
      // A view of the batch finds its share in a softmax at scale 1e9 from its score, good to 1e-16.
      const double tolerance = source == NegativeSource::kBank ? 1e-11 : 1e-6;
      const ContrastJob job = virtual_job(source, tau);
      const VirtualMoves fixed = moves_of(job);
      const at::Tensor queries = job.raw_queries.clone().requires_grad_();
      const at::Tensor keys = job.raw_keys.clone().requires_grad_();
      const at::Tensor expected = virtual_losses(job, queries, keys, fixed);
      expected.mean().backward();
      for (const int ranks : {1, 2, 3, 4}) {
        const ContrastAnswer actual = run_contrast(job, ranks);
        EXPECT_TRUE(at::allclose(actual.per_anchor, expected, 1e-11, 1e-12)) << actual.per_anchor << expected;
        EXPECT_LT(share_off(actual.raw_query_gradient, queries.grad()), tolerance);
        EXPECT_LT(share_off(actual.raw_key_gradient, keys.grad()), tolerance);
      }
    }
  }
}

TEST(VirtualAdvIr, GradientIsThatOfDifferencesWithTheMovementHeldFixed) {
  constexpr double kDifference = 1e-5;
  const ContrastJob job = virtual_job(NegativeSource::kBankAndBatch, 0.2);
  const VirtualMoves fixed = moves_of(job);
  const ContrastAnswer actual = run_contrast(job, 2);
  at::Tensor queries = job.raw_queries.clone();
  for (std::int64_t i = 0; i < queries.numel(); ++i) {
    at::Tensor number = queries.view(-1)[i];
    number += kDifference;
    const at::Tensor above = virtual_losses(job, queries, job.raw_keys, fixed).mean();
    number -= 2 * kDifference;
    const at::Tensor below = virtual_losses(job, queries, job.raw_keys, fixed).mean();
    number += kDifference;
    EXPECT_NEAR(actual.raw_query_gradient.view(-1)[i].item<double>(),
                ((above - below) / (2 * kDifference)).item<double>(), 1e-8);
  }
}

// q = (1, 0), negatives at 0.6, 0 and -0.8, the positive at 0.8, tau 0.2: the example of
// samplers/objectives/LOSSES.md 19.
TEST(VirtualAdvIr, HasTheValueOfTheExample) {
  ContrastJob job;
  job.raw_queries = at::tensor({1.0, 0.0}, at::kDouble).view({1, 2});
  job.raw_keys = at::tensor({0.8, 0.6}, at::kDouble).view({1, 2});
  job.bank = at::tensor({0.6, 0.8, 0.0, 1.0, -0.8, 0.6}, at::kDouble).view({3, 2});
  job.objective = "advir";
  job.objective_options = "variant=virtual";
  job.temperature.tau = 0.2;
  EXPECT_NEAR(run_contrast(job, 1).loss, 0.32680 + 0.02685, 1e-5);
}

TEST(VirtualAdvIr, IsInfoNceWhereNothingIsMovedApart) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    ContrastJob job = virtual_job(NegativeSource::kBank, 0.01);
    for (at::Tensor* tensor : {&job.raw_queries, &job.raw_keys, &job.bank}) *tensor = tensor->to(type);
    job.temperature.dtype = type;
    // Without a negative there is nothing to move the positive against.
    job.adjust = [](NegativeRequest& request, const QueryBatch&) { request.sets.clear(); };
    for (const int ranks : {1, 3}) {
      const ContrastAnswer alone = run_contrast(job, ranks);
      EXPECT_EQ(alone.loss, 0.0);
      EXPECT_EQ(alone.raw_query_gradient.norm().item<double>(), 0.0);
    }
  }
}

// Rows that tie for the nearest, a query that is its own positive, and one that is a row of the bank: in fp32 at a
// temperature at which exponentials of differences of scores are no numbers.
TEST(VirtualAdvIr, IsFiniteAndTheSameOverRanksAtTies) {
  ContrastJob job = virtual_job(NegativeSource::kBank, 0.01);
  job.raw_keys[0] = job.raw_queries[0];
  job.bank[3] = over_length(job.raw_queries)[2];
  job.bank[7] = job.bank[3];
  job.raw_queries[3] = -over_length(job.raw_keys)[3];
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    for (at::Tensor* tensor : {&job.raw_queries, &job.raw_keys, &job.bank}) *tensor = tensor->to(type);
    job.temperature.dtype = type;
    const double tolerance = type == at::kFloat ? 2e-5 : 1e-11;
    const ContrastAnswer one = run_contrast(job, 1);
    EXPECT_TRUE(one.per_anchor.isfinite().all().item<bool>()) << one.per_anchor;
    EXPECT_TRUE(one.raw_query_gradient.isfinite().all().item<bool>()) << one.raw_query_gradient;
    // Of two that tie one is moved against the other and all else, b = 1/2; the loss beside it is l - c s+.
    const double moved = 2.0 * kEpsilonOfTau;
    const double tie = 0.5 * moved + std::log1p(std::exp(-moved)) - std::log(2.0);
    const at::Tensor of_tie = one.per_anchor[2] - (one.terms[0][2] - one.positive[2] / job.temperature.tau);
    EXPECT_NEAR(of_tie.item<double>() / kVirtualWeight, tie, 1e-4);
    for (const int ranks : {2, 3, 4, 11}) {
      const ContrastAnswer more = run_contrast(job, ranks);
      EXPECT_TRUE(at::allclose(more.per_anchor, one.per_anchor, tolerance, tolerance));
      EXPECT_TRUE(at::allclose(more.raw_query_gradient, one.raw_query_gradient, 10 * tolerance, 10 * tolerance));
    }
  }
}

}  // namespace
}  // namespace negatron::testing
