#include "runtime/encoders/norms/global_batch_norm.h"

#include <stdexcept>

#include <torch/autograd.h>

#include "runtime/encoders/norms/batch_norm_numbers.h"
#include "runtime/encoders/norms/piecewise_batch_norm.h"

namespace negatron {
namespace {

/// Of the samples of all ranks, constants to autograd: NormalizeFunction knows how they depend on the samples.
struct BatchStatistics {
  at::Tensor mean;      // [F]
  at::Tensor variance;  // [F], biased
  at::Tensor count;     // [1]
};

/// Each rank's count, mean and sum of squares around it, merged as in Chan, Golub & LeVeque (1979): nothing cancels.
/// `like` has the dtype of the statistics. Collective.
BatchStatistics statistics_of(const at::Tensor& samples, const at::Tensor& like, Communicator& comm) {
  const std::int64_t features = samples.size(1);
  const at::Tensor own = at::zeros({1, 1 + 2 * features}, like.options());
  if (samples.numel() > 0) {
    const auto count = static_cast<double>(samples.numel() / features);
    // Running statistics that nobody reads: they tell the dtype of the sums.
    const at::Tensor unread = at::zeros({features}, like.options());
    const auto [mean, variance] = at::batch_norm_update_stats(samples, unread, unread.clone(), /*momentum=*/0.0);
    own.narrow(1, 0, 1).fill_(count);
    own.narrow(1, 1, features).copy_(mean);
    own.narrow(1, 1 + features, features).copy_(variance * count);
  }
  const at::Tensor parts = comm.all_gather(own);                       // [P, 1 + 2F]
  const at::Tensor counts = parts.narrow(1, 0, 1);                     // [P, 1]
  const at::Tensor means = parts.narrow(1, 1, features);               // [P, F]
  const at::Tensor squares = parts.narrow(1, 1 + features, features);  // [P, F]
  BatchStatistics batch;
  batch.count = counts.sum(0);
  // A batch without samples has no statistics but must not divide by zero.
  const at::Tensor divisor = batch.count.clamp_min(1.0);
  batch.mean = (means * counts).sum(0) / divisor;
  batch.variance = (squares + counts * (means - batch.mean).square()).sum(0) / divisor;
  return batch;
}

/// weight * (x - mean) / sqrt(variance + epsilon) + bias, in one sweep. Local, differentiable in samples, weight, bias.
at::Tensor normalized(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                      const at::Tensor& mean, const at::Tensor& variance) {
  if (samples.numel() == 0) return samples.clone();
  return std::get<0>(at::native_batch_norm(samples, weight, bias, mean, variance, /*training=*/false, kRunningShare,
                                           kBatchNormEpsilon));
}

class NormalizeFunction : public torch::autograd::Function<NormalizeFunction> {
 public:
  /// samples [b, F] or [b, F, h, w]; weight, bias [F]. The statistics are those of all ranks and take no gradient.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& samples,
                            const at::Tensor& weight, const at::Tensor& bias, const BatchStatistics& batch,
                            Communicator* comm) {
    context->save_for_backward({samples, weight, batch.mean, batch.variance, batch.count});
    // Saved data hold numbers and tensors, no pointers.
    context->saved_data["comm"] = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(comm));
    return normalized(samples, weight, bias, batch.mean, batch.variance);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& samples = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& mean = saved[2];
    const at::Tensor& variance = saved[3];
    const at::Tensor& count = saved[4];
    Communicator& comm =
        *reinterpret_cast<Communicator*>(static_cast<std::intptr_t>(context->saved_data["comm"].toInt()));

    const at::Tensor inverse_deviation = (variance + kBatchNormEpsilon).rsqrt();  // [F]
    // As if statistics were constants; mixed memory formats would take ATen's slow path. They are given twice, as
    // running and as saved ones: which of the two ATen reads is another matter on a GPU than on a CPU.
    at::Tensor by_samples = at::empty_like(samples);
    at::Tensor by_weight = at::zeros_like(weight);  // [F]
    at::Tensor by_bias = at::zeros_like(weight);    // [F]
    if (samples.numel() > 0) {
      std::tie(by_samples, by_weight, by_bias) = at::native_batch_norm_backward(
          arriving.front().contiguous(samples.suggest_memory_format()), samples, weight, mean, variance, mean,
          inverse_deviation, /*train=*/false, kBatchNormEpsilon, {true, true, true});
    }
    // Every sample moves mean and variance, and through them the samples of all ranks.
    const at::Tensor everywhere = at::stack({by_bias, by_weight});  // [2, F]
    comm.all_reduce(everywhere, ReduceOp::kSum);
    const at::Tensor share = weight * inverse_deviation / count.clamp_min(1.0);  // [F]
    by_samples.sub_(normalized(samples, share * everywhere[1], share * everywhere[0], mean, variance));
    return {by_samples, by_weight, by_bias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

GlobalBatchNorm::GlobalBatchNorm(std::int64_t features, Communicator& comm, bool counts_batches,
                                 const BatchNormPieces* pieces)
    : comm_(comm), pieces_(pieces) {
  weight = register_parameter("weight", at::ones({features}));
  bias = register_parameter("bias", at::zeros({features}));
  running_mean_ = register_buffer("running_mean", at::zeros({features}));
  running_variance_ = register_buffer("running_var", at::ones({features}));
  if (counts_batches) batches_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

torch::Tensor GlobalBatchNorm::forward(const torch::Tensor& samples) {
  if ((samples.dim() != 2 && samples.dim() != 4) || samples.size(1) != weight.size(0)) {
    throw std::invalid_argument("GlobalBatchNorm takes rows or maps of " + std::to_string(weight.size(0)) +
                                " features.");
  }
  if (!is_training()) return normalized(samples, weight, bias, running_mean_, running_variance_);
  // On a CPU the other way, which one rank shares with many, is as fast, and rounds alike on any number of ranks.
  if (comm_.size() == 1 && !samples.is_cpu() && samples.numel() > 0) return of_one_rank(samples);
  if (const BatchNormPieces* pieces = pieces_ != nullptr ? pieces_ : batch_norm_pieces_of(samples.device())) {
    const NormalizedBatch batch = piecewise_batch_norm(samples, weight, bias, comm_, *pieces);
    const at::NoGradGuard no_grad;
    follow(batch.mean, batch.variance, batch.count);
    return batch.output;
  }
  BatchStatistics batch;
  {
    const at::NoGradGuard no_grad;
    batch = statistics_of(samples.detach(), running_mean_, comm_);
    follow(batch.mean, batch.variance, batch.count);
  }
  return NormalizeFunction::apply(samples, weight, bias, batch, &comm_);
}

// Nobody else has samples, so torch's own norm serves: two kernels forward and one backward, where sums that ranks
// could exchange take some fifteen.
torch::Tensor GlobalBatchNorm::of_one_rank(const torch::Tensor& samples) {
  const auto [output, mean, inverse_deviation] =
      at::native_batch_norm(samples, weight, bias, {}, {}, /*training=*/true, kRunningShare, kBatchNormEpsilon);
  const at::NoGradGuard no_grad;
  const at::Tensor count =
      at::full({1}, static_cast<double>(samples.numel() / samples.size(1)), running_mean_.options());
  follow(mean, inverse_deviation.square().reciprocal().sub(kBatchNormEpsilon), count);
  return output;
}

void GlobalBatchNorm::to(torch::Device device, torch::Dtype dtype, bool non_blocking) {
  Module::to(device, dtype, non_blocking);
  if (batches_.defined()) batches_.set_data(batches_.to(at::kLong));
}

void GlobalBatchNorm::to(torch::Dtype dtype, bool non_blocking) {
  Module::to(dtype, non_blocking);
  if (batches_.defined()) batches_.set_data(batches_.to(at::kLong));
}

void GlobalBatchNorm::follow(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& count) {
  const at::Tensor unbiased = variance * (count / (count - 1.0).clamp_min(1.0));
  // On the device, without a look at the numbers from the host.
  const at::Tensor usable = (count > 1.0).logical_and(mean.isfinite()).logical_and(unbiased.isfinite());  // [F]
  running_mean_.copy_(at::where(usable, at::lerp(running_mean_, mean, kRunningShare), running_mean_));
  running_variance_.copy_(at::where(usable, at::lerp(running_variance_, unbiased, kRunningShare), running_variance_));
  if (batches_.defined()) batches_.add_(usable.all());
}

}  // namespace negatron
