#include "samplers/objectives/advir.h"

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/samplers/contrast/contrast_job.h"

// The adversarial loss by its definition: gradients of the clean loss by autograd, a movement along each, the loss of
// what was moved.

namespace negatron::testing {
namespace {

constexpr std::int64_t kAdvirQueries = 6;
constexpr double kEpsilon = 0.1;
constexpr double kWeight = 0.7;

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, {1}, true);
}

/// [B] softmax losses of queries [B, d] with positives [B, d] and, for each, negatives [B, K, d].
at::Tensor softmax_losses(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& negatives, double tau) {
  const at::Tensor positive = (queries * keys).sum(1, true) / tau;
  const at::Tensor others = negatives.bmm(queries.unsqueeze(2)).squeeze(2) / tau;
  return at::logsumexp(at::cat({positive, others}, 1), 1) - positive.squeeze(1);
}

/// Moved by a vector of length epsilon along the gradient, as a constant.
at::Tensor moved(const at::Tensor& vectors, const at::Tensor& gradient) {
  return vectors.detach() + kEpsilon * gradient / gradient.norm(2, {-1}, true);
}

TEST(AdvIr, IsTheLossOfWhatWasMovedAlongItsGradient) {
  ContrastJob job;
  job.raw_queries = random_unit_rows(1, 0, kAdvirQueries, 5);
  job.raw_keys = random_unit_rows(1, 0, kAdvirQueries, 5) + random_unit_rows(2, 0, kAdvirQueries, 5);
  job.bank = random_unit_rows(3, 0, 17, 5);
  job.objective = "advir";
  job.objective_options = "epsilon=0.1,weight=0.7";
  for (const double tau : {0.5, 0.07}) {
    job.temperature.tau = tau;
    const at::Tensor raw = job.raw_queries.clone().requires_grad_();
    const at::Tensor queries = unit_rows(raw);
    const at::Tensor keys = unit_rows(job.raw_keys).clone().requires_grad_();
    const at::Tensor negatives = job.bank.unsqueeze(0).repeat({kAdvirQueries, 1, 1}).requires_grad_();
    const at::Tensor clean = softmax_losses(queries, keys, negatives, tau);
    const auto by = torch::autograd::grad({clean.sum()}, {keys, negatives}, {}, /*retain_graph=*/true);
    const at::Tensor adversarial = softmax_losses(queries, moved(keys, by[0]), moved(negatives, by[1]), tau);
    const at::Tensor expected = clean.detach() + kWeight * adversarial.detach();
    (softmax_losses(queries, keys.detach(), negatives.detach(), tau) + kWeight * adversarial).mean().backward();
    for (const int ranks : {1, 3}) {
      const ContrastAnswer actual = run_contrast(job, ranks);
      EXPECT_TRUE(at::allclose(actual.per_anchor, expected, 1e-11, 1e-12)) << actual.per_anchor << expected;
      EXPECT_TRUE(at::allclose(actual.raw_query_gradient, raw.grad(), 1e-9, 1e-11));
    }
  }
}

}  // namespace
}  // namespace negatron::testing
