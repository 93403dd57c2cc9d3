#include "runtime/encoders/global_batch_norm.h"

#include <stdexcept>

#include <torch/autograd.h>

namespace negatron {
namespace {

// torch's defaults.
constexpr double kEpsilon = 1e-5;
constexpr double kRunningShare = 0.1;

/// Of the rows of all ranks, constants to autograd: NormalizeFunction knows how they depend on the rows.
struct BatchStatistics {
  at::Tensor mean;      // [F]
  at::Tensor variance;  // [F], biased
  at::Tensor count;     // [1]
};

/// Collective.
BatchStatistics statistics_of(const at::Tensor& rows, Communicator& comm) {
  const std::int64_t features = rows.size(1);
  const at::Tensor own_count = at::full({1}, static_cast<double>(rows.size(0)), rows.options());
  const at::Tensor sums = at::cat({rows.sum(0), own_count});  // [F + 1]
  comm.all_reduce(sums, ReduceOp::kSum);
  BatchStatistics batch;
  batch.count = sums.narrow(0, features, 1);
  // A batch without rows has no statistics but must not divide by zero.
  const at::Tensor divisor = batch.count.clamp_min(1.0);
  batch.mean = sums.narrow(0, 0, features) / divisor;
  // Around the mean, and not mean of squares minus square of the mean, which cancels.
  const at::Tensor squares = (rows - batch.mean).square().sum(0);
  comm.all_reduce(squares, ReduceOp::kSum);
  batch.variance = squares / divisor;
  return batch;
}

class NormalizeFunction : public torch::autograd::Function<NormalizeFunction> {
 public:
  /// rows [b, F]; weight, bias, mean, inverse_deviation [F]; count [1].
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& rows, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& inverse_deviation,
                            const at::Tensor& count, Communicator* comm) {
    context->save_for_backward({rows, weight, mean, inverse_deviation, count});
    // Saved data hold numbers and tensors, no pointers.
    context->saved_data["comm"] = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(comm));
    const at::Tensor values = rows.to(weight.scalar_type());
    return ((values - mean) * (inverse_deviation * weight) + bias).to(rows.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& rows = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& mean = saved[2];
    const at::Tensor& inverse_deviation = saved[3];
    const at::Tensor& count = saved[4];
    Communicator& comm =
        *reinterpret_cast<Communicator*>(static_cast<std::intptr_t>(context->saved_data["comm"].toInt()));

    const at::Tensor gradient = arriving.front().to(weight.scalar_type());                     // [b, F]
    const at::Tensor normalized = (rows.to(weight.scalar_type()) - mean) * inverse_deviation;  // [b, F]
    const at::Tensor by_bias = gradient.sum(0);                                                // [F]
    const at::Tensor by_weight = (gradient * normalized).sum(0);                               // [F]
    // Every row moves mean and variance, and through them the rows of all ranks.
    const at::Tensor everywhere = at::stack({by_bias, by_weight});  // [2, F]
    comm.all_reduce(everywhere, ReduceOp::kSum);
    const at::Tensor through_statistics = (everywhere[0] + normalized * everywhere[1]) / count.clamp_min(1.0);
    const at::Tensor by_rows = (gradient - through_statistics) * (inverse_deviation * weight);
    return {by_rows.to(rows.scalar_type()), by_weight, by_bias, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

GlobalBatchNorm::GlobalBatchNorm(std::int64_t features, Communicator& comm) : comm_(comm) {
  weight = register_parameter("weight", at::ones({features}));
  bias = register_parameter("bias", at::zeros({features}));
  running_mean_ = register_buffer("running_mean", at::zeros({features}));
  running_variance_ = register_buffer("running_var", at::ones({features}));
}

torch::Tensor GlobalBatchNorm::forward(const torch::Tensor& rows) {
  if (rows.dim() != 2 || rows.size(1) != weight.size(0)) {
    throw std::invalid_argument("GlobalBatchNorm takes rows of " + std::to_string(weight.size(0)) + " features.");
  }
  if (!is_training()) {
    const at::Tensor values = rows.to(weight.scalar_type());
    const at::Tensor scale = weight * (running_variance_ + kEpsilon).rsqrt();
    return ((values - running_mean_) * scale + bias).to(rows.scalar_type());
  }
  BatchStatistics batch;
  {
    const at::NoGradGuard no_grad;
    batch = statistics_of(rows.detach().to(weight.scalar_type()), comm_);
    follow(batch.mean, batch.variance, batch.count);
  }
  return NormalizeFunction::apply(rows, weight, bias, batch.mean, (batch.variance + kEpsilon).rsqrt(), batch.count,
                                  &comm_);
}

void GlobalBatchNorm::follow(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& count) {
  const at::Tensor unbiased = variance * (count / (count - 1.0).clamp_min(1.0));
  // On the device, without a look at the numbers from the host.
  const at::Tensor usable = (count > 1.0).logical_and(mean.isfinite()).logical_and(unbiased.isfinite());  // [F]
  running_mean_.copy_(at::where(usable, at::lerp(running_mean_, mean, kRunningShare), running_mean_));
  running_variance_.copy_(at::where(usable, at::lerp(running_variance_, unbiased, kRunningShare), running_variance_));
}

}  // namespace negatron
