#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// What each rank does by itself in a batch norm over the samples of all ranks: five pieces, between which numbers are
/// exchanged (piecewise_batch_norm.h). All local, and none of them waits for a device. F features, P ranks; samples
/// [b, F] or [b, F, h, w] with b above 0, statistics in fp32, or fp64 for samples in fp64.
class BatchNormPieces {
 public:
  struct Statistics {
    at::Tensor mean;               // [F]
    at::Tensor inverse_deviation;  // [F], 1 / sqrt(biased variance + epsilon)
  };
  struct Sums {
    at::Tensor of_arriving;  // [F], sum of g
    at::Tensor of_products;  // [F], sum of g (x - mean)
    at::Tensor by_weight;    // [F], of_products times the inverse deviation
    at::Tensor by_bias;      // [F], of_arriving
  };

  virtual ~BatchNormPieces() = default;
  /// Of one rank's samples.
  virtual Statistics statistics(const at::Tensor& samples) const = 0;
  /// Of the samples of all ranks, out of each rank's: means and inverse_deviations [P, F], counts [P], above 0. Of
  /// `samples` only device and type count.
  virtual Statistics merged(const at::Tensor& samples, const at::Tensor& means, const at::Tensor& inverse_deviations,
                            const at::Tensor& counts) const = 0;
  /// weight * (x - mean) * inverse deviation + bias, like the samples.
  virtual at::Tensor normalized(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                                const Statistics& all) const = 0;
  /// Over one rank's samples x and what arrives for them, g, in the same order in memory.
  virtual Sums backward_sums(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor& weight,
                             const Statistics& all) const = 0;
  /// The gradient with respect to the samples, N the sum of counts [P] int32:
  ///   (g - sum of g / N - (x - mean) inverse_deviation^2 (sum of g (x - mean)) / N) * inverse_deviation * weight
  /// with sums over all ranks, of which only `of_arriving` and `of_products` are read.
  virtual at::Tensor by_samples(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor& weight,
                                const Statistics& all, const Sums& sums, const at::Tensor& counts) const = 0;
};

/// ATen's pieces of synchronised batch norm, one or two kernels each, on CUDA; null elsewhere, where ATen has none.
const BatchNormPieces* batch_norm_pieces_of(at::Device device);

}  // namespace negatron
