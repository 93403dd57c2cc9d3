#include "tests/reference/plain_distances.h"

#include <limits>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {

PlainDistances PlainDistances::start(std::int64_t capacity, std::int64_t width, std::uint64_t seed) {
  return {random_unit_rows(seed, 0, capacity, width), at::zeros({capacity, width}, at::kDouble)};
}

at::Tensor PlainDistances::scores(const at::Tensor& queries, const at::Tensor& rows) {
  return (queries.unsqueeze(1) - rows.unsqueeze(0)).square().sum(2) * -0.5;
}

at::Tensor PlainDistances::loss(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& rows, double tau,
                                const at::Tensor& left_out) {
  at::Tensor negatives = scores(queries, rows);
  if (left_out.defined()) negatives = negatives.masked_fill(left_out, -std::numeric_limits<double>::infinity());
  const at::Tensor positive = (queries - keys).square().sum(1, /*keepdim=*/true) * -0.5;
  const at::Tensor logits = at::cat({positive, negatives}, 1) / tau;
  return (logits.logsumexp(1) - logits.select(1, 0)).mean();
}

at::Tensor PlainDistances::loss_of_own(const at::Tensor& queries, const at::Tensor& rows, const at::Tensor& ids,
                                       double tau) {
  return at::cross_entropy_loss(scores(queries, rows) / tau, ids);
}

void PlainDistances::step(const at::Tensor& gradient, const RowOptimizer& sgd) {
  velocity = sgd.momentum * velocity + (sgd.raises ? -gradient : gradient) + sgd.weight_decay * vectors;
  vectors = vectors - sgd.rate * velocity;
}

}  // namespace negatron::testing
