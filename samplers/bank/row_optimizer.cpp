#include "samplers/bank/row_optimizer.h"

namespace negatron {
namespace {

/// Of a row that was met for the first time with no gradient at all.
constexpr double kAdagradLeast = 1e-10;
constexpr double kAdamLeast = 1e-8;
/// How long Adam remembers squares.
constexpr double kSquareMomentum = 0.999;

/// Apart from the gradient, whose size the divisor takes out.
void decay(const RowOptimizer& optimizer, const at::Tensor& raw) {
  if (optimizer.weight_decay > 0.0) raw.mul_(1.0 - optimizer.rate * optimizer.weight_decay);
}

void step_sgd(const RowOptimizer& optimizer, const at::Tensor& raw, const at::Tensor& velocity,
              const at::Tensor& gradient) {
  velocity.mul_(optimizer.momentum).add_(gradient);
  if (optimizer.weight_decay > 0.0) velocity.add_(raw, optimizer.weight_decay);
  raw.sub_(velocity, optimizer.rate);
}

void step_adagrad(const RowOptimizer& optimizer, const at::Tensor& raw, const at::Tensor& squares,
                  const at::Tensor& gradient) {
  squares.add_(gradient.square().mean(1, /*keepdim=*/true));
  decay(optimizer, raw);
  raw.addcdiv_(gradient, squares.sqrt().add_(kAdagradLeast), -optimizer.rate);
}

// Each row has its own t: a row that is met for the first time late in a run takes a first step of the usual length.
// With one t for all its mean would be divided by nearly 1 and its root of squares too, a step 3 times as long.
void step_adam(const RowOptimizer& optimizer, const at::Tensor& raw, const at::Tensor& moments,
               const at::Tensor& gradient) {
  const std::int64_t width = raw.size(1);
  const at::Tensor mean = moments.narrow(1, 0, width);
  const at::Tensor squares = moments.narrow(1, width, width);
  const at::Tensor steps = moments.narrow(1, 2 * width, 1);
  steps.add_(1.0);
  mean.mul_(optimizer.momentum).add_(gradient, 1.0 - optimizer.momentum);
  squares.mul_(kSquareMomentum).addcmul_(gradient, gradient, 1.0 - kSquareMomentum);
  const at::Tensor mean_share = 1.0 - at::pow(optimizer.momentum, steps);  // [n, 1]
  const at::Tensor square_share = 1.0 - at::pow(kSquareMomentum, steps);   // [n, 1]
  decay(optimizer, raw);
  raw.addcdiv_(mean / mean_share, (squares / square_share).sqrt_().add_(kAdamLeast), -optimizer.rate);
}

}  // namespace

std::int64_t moments_width(RowOptimizerKind kind, std::int64_t width) {
  switch (kind) {
    case RowOptimizerKind::kSgd:
      return width;
    case RowOptimizerKind::kAdagrad:
      return 1;
    case RowOptimizerKind::kAdam:
      return 2 * width + 1;
  }
  return 0;
}

bool moves_unmet_rows(const RowOptimizer& optimizer) {
  return optimizer.kind == RowOptimizerKind::kSgd && (optimizer.momentum > 0.0 || optimizer.weight_decay > 0.0);
}

void step_rows(const RowOptimizer& optimizer, const at::Tensor& raw, const at::Tensor& moments,
               const at::Tensor& gradient) {
  if (optimizer.raises) gradient.neg_();
  switch (optimizer.kind) {
    case RowOptimizerKind::kSgd:
      return step_sgd(optimizer, raw, moments, gradient);
    case RowOptimizerKind::kAdagrad:
      return step_adagrad(optimizer, raw, moments, gradient);
    case RowOptimizerKind::kAdam:
      return step_adam(optimizer, raw, moments, gradient);
  }
}

}  // namespace negatron
