#include "runtime/encoders/norms/piecewise_batch_norm.h"

#include <cmath>

#include <torch/autograd.h>

#include "runtime/encoders/norms/batch_norm_numbers.h"

namespace negatron {
namespace {

using Statistics = BatchNormPieces::Statistics;
using Sums = BatchNormPieces::Sums;

/// How many values of a feature a rank without samples says it has: ATen divides by the count of the ranks so far,
/// which must not be 0, and so few move no statistics. As a whole number it is 0.
constexpr double kNextToNone = 1e-30;

/// [1, 2F + 1]: mean, inverse deviation, count of this rank's samples. `like` has the type of statistics.
at::Tensor own_statistics(const at::Tensor& samples, const at::Tensor& like, const BatchNormPieces& pieces) {
  const std::int64_t features = samples.size(1);
  const at::Tensor own = at::empty({1, 2 * features + 1}, like.options().requires_grad(false));
  const at::Tensor mean = own.narrow(1, 0, features);
  const at::Tensor inverse_deviation = own.narrow(1, features, features);
  if (samples.numel() == 0) {
    own.fill_(0.0);
    inverse_deviation.fill_(1.0 / std::sqrt(kBatchNormEpsilon));
    own.narrow(1, 2 * features, 1).fill_(kNextToNone);
    return own;
  }
  const Statistics statistics = pieces.statistics(samples);
  mean.copy_(statistics.mean);
  inverse_deviation.copy_(statistics.inverse_deviation);
  own.narrow(1, 2 * features, 1).fill_(static_cast<double>(samples.numel() / features));
  return own;
}

/// No pointers are saved in a graph: as a number.
template <class T>
std::int64_t as_number(const T& object) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(&object));
}

template <class T>
T& from_number(const c10::IValue& number) {
  return *reinterpret_cast<T*>(static_cast<std::intptr_t>(number.toInt()));
}

/// Over the samples of all ranks, constants to autograd.
struct WholeBatch {
  Statistics all;
  at::Tensor counts;  // [P] int32
};

/// What a batch norm is made with.
struct Means {
  Communicator& comm;
  const BatchNormPieces& pieces;
};

class PiecewiseFunction : public torch::autograd::Function<PiecewiseFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& samples,
                            const at::Tensor& weight, const at::Tensor& bias, const WholeBatch& batch,
                            const Means& means) {
    context->save_for_backward({samples, weight, batch.all.mean, batch.all.inverse_deviation, batch.counts});
    context->saved_data["comm"] = as_number(means.comm);
    context->saved_data["pieces"] = as_number(means.pieces);
    return samples.numel() == 0 ? samples.clone() : means.pieces.normalized(samples, weight, bias, batch.all);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& samples = saved[0];
    const at::Tensor& weight = saved[1];
    const Statistics all{saved[2], saved[3]};
    auto& comm = from_number<Communicator>(context->saved_data["comm"]);
    const auto& pieces = from_number<const BatchNormPieces>(context->saved_data["pieces"]);
    const bool any = samples.numel() > 0;
    const at::Tensor nothing = at::zeros_like(all.mean);
    const at::Tensor own = any ? arriving.front().contiguous(samples.suggest_memory_format()) : arriving.front();
    const Sums sums = any ? pieces.backward_sums(own, samples, weight, all) : Sums{nothing, nothing, nothing, nothing};
    // Every sample moves mean and variance, and through them the samples of all ranks.
    const at::Tensor everywhere = at::stack({sums.of_arriving, sums.of_products});  // [2, F]
    comm.all_reduce(everywhere, ReduceOp::kSum);
    const Sums of_all{everywhere[0], everywhere[1], {}, {}};
    const at::Tensor by_samples =
        any ? pieces.by_samples(own, samples, weight, all, of_all, saved[4]) : at::empty_like(samples);
    return {by_samples, sums.by_weight, sums.by_bias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

NormalizedBatch piecewise_batch_norm(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                                     Communicator& comm, const BatchNormPieces& pieces) {
  const std::int64_t features = samples.size(1);
  NormalizedBatch batch;
  WholeBatch whole;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor parts = comm.all_gather(own_statistics(samples.detach(), weight, pieces));  // [P, 2F + 1]
    const at::Tensor values = parts.select(1, 2 * features);                                     // [P]
    whole.all =
        pieces.merged(samples.detach(), parts.narrow(1, 0, features), parts.narrow(1, features, features), values);
    whole.counts = values.to(at::kInt);
    batch.mean = whole.all.mean;
    batch.variance = whole.all.inverse_deviation.square().reciprocal().sub(kBatchNormEpsilon);
    batch.count = values.sum(0, /*keepdim=*/true);
  }
  batch.output = PiecewiseFunction::apply(samples, weight, bias, whole, Means{comm, pieces});
  return batch;
}

}  // namespace negatron
