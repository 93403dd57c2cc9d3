#pragma once

#include <vector>

#include "runtime/encoders/norms/batch_norm_numbers.h"
#include "runtime/encoders/norms/batch_norm_pieces.h"

namespace negatron::testing {

/// The pieces as their formulas say, in the type of the statistics, on any device.
class PlainBatchNormPieces : public BatchNormPieces {
 public:
  Statistics statistics(const at::Tensor& samples) const override {
    const at::Tensor exact = wide(samples);
    const at::Tensor mean = exact.mean(rest(samples));
    return {mean, (exact - over(mean, samples)).square().mean(rest(samples)).add(kBatchNormEpsilon).rsqrt()};
  }

  Statistics merged(const at::Tensor&, const at::Tensor& means, const at::Tensor& inverse_deviations,
                    const at::Tensor& counts) const override {
    const at::Tensor share = (counts / counts.sum()).unsqueeze(1);  // [P, 1]
    const at::Tensor mean = (means * share).sum(0);
    const at::Tensor variances = inverse_deviations.square().reciprocal() - kBatchNormEpsilon;  // [P, F]
    const at::Tensor variance = ((variances + (means - mean).square()) * share).sum(0);
    return {mean, (variance + kBatchNormEpsilon).rsqrt()};
  }

  at::Tensor normalized(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                        const Statistics& all) const override {
    const at::Tensor scaled = (wide(samples) - over(all.mean, samples)) * over(all.inverse_deviation * weight, samples);
    return like(samples, scaled + over(bias, samples));
  }

  Sums backward_sums(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor&,
                     const Statistics& all) const override {
    const at::Tensor of_arriving = wide(arriving).sum(rest(samples));
    const at::Tensor of_products = (wide(arriving) * (wide(samples) - over(all.mean, samples))).sum(rest(samples));
    return {of_arriving, of_products, of_products * all.inverse_deviation, of_arriving};
  }

  at::Tensor by_samples(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor& weight,
                        const Statistics& all, const Sums& sums, const at::Tensor& counts) const override {
    const at::Tensor number = counts.sum().to(sums.of_arriving.scalar_type());
    const at::Tensor slope = all.inverse_deviation.square() * sums.of_products / number;
    const at::Tensor centred = wide(arriving) - over(sums.of_arriving / number, samples) -
                               (wide(samples) - over(all.mean, samples)) * over(slope, samples);
    return like(samples, centred * over(all.inverse_deviation * weight, samples));
  }

 private:
  static at::Tensor wide(const at::Tensor& samples) {
    return samples.scalar_type() == at::kDouble ? samples : samples.to(at::kFloat);
  }
  /// All dimensions but that of the features.
  static std::vector<std::int64_t> rest(const at::Tensor& samples) {
    return samples.dim() == 2 ? std::vector<std::int64_t>{0} : std::vector<std::int64_t>{0, 2, 3};
  }
  static at::Tensor over(const at::Tensor& features, const at::Tensor& samples) {
    return samples.dim() == 2 ? features : features.view({-1, 1, 1});
  }
  static at::Tensor like(const at::Tensor& samples, const at::Tensor& values) {
    return values.to(samples.scalar_type()).contiguous(samples.suggest_memory_format());
  }
};

}  // namespace negatron::testing
