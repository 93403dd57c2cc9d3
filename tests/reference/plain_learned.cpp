#include "tests/reference/plain_learned.h"

#include <torch/autograd.h>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {

PlainLearned PlainLearned::start(std::int64_t capacity, std::int64_t width, std::uint64_t seed) {
  return {random_unit_rows(seed, 0, capacity, width), at::zeros({capacity, width}, at::kDouble)};
}

at::Tensor PlainLearned::loss(const at::Tensor& raw, const at::Tensor& queries, const at::Tensor& positive,
                              double tau) {
  const at::Tensor rows = raw / raw.norm(2, {1}, true);
  const at::Tensor logits = at::cat({positive.unsqueeze(1), queries.mm(rows.t())}, 1) / tau;
  return (logits.logsumexp(1) - positive / tau).mean();
}

void PlainLearned::step(const at::Tensor& queries, const at::Tensor& positive, double tau, const RowOptimizer& sgd) {
  const at::Tensor leaf = raw.clone().requires_grad_();
  const at::Tensor gradient = torch::autograd::grad({loss(leaf, queries, positive, tau)}, {leaf}).front();
  velocity = sgd.momentum * velocity - gradient + sgd.weight_decay * raw;
  raw = raw - sgd.rate * velocity;
}

}  // namespace negatron::testing
