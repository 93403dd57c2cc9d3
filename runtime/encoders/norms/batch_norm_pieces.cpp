#include "runtime/encoders/norms/batch_norm_pieces.h"

#include "runtime/encoders/norms/batch_norm_numbers.h"

namespace negatron {
namespace {

class AtenPieces : public BatchNormPieces {
 public:
  Statistics statistics(const at::Tensor& samples) const override {
    const auto [mean, inverse_deviation] = at::batch_norm_stats(samples, kBatchNormEpsilon);
    return {mean, inverse_deviation};
  }

  Statistics merged(const at::Tensor& samples, const at::Tensor& means, const at::Tensor& inverse_deviations,
                    const at::Tensor& counts) const override {
    // Running statistics that nobody reads: without them ATen wants counts in the type of the samples, and bf16 counts
    // up to 256.
    const at::Tensor unread = at::zeros({2, means.size(1)}, means.options());
    const auto [mean, inverse_deviation] =
        at::batch_norm_gather_stats_with_counts(samples, means, inverse_deviations, unread[0], unread[1],
                                                /*momentum=*/0.0, kBatchNormEpsilon, counts);
    return {mean, inverse_deviation};
  }

  at::Tensor normalized(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                        const Statistics& all) const override {
    return at::batch_norm_elemt(samples, weight, bias, all.mean, all.inverse_deviation, kBatchNormEpsilon);
  }

  Sums backward_sums(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor& weight,
                     const Statistics& all) const override {
    const auto [of_arriving, of_products, by_weight, by_bias] =
        at::batch_norm_backward_reduce(arriving, samples, all.mean, all.inverse_deviation, weight, /*input_g=*/true,
                                       /*weight_g=*/true, /*bias_g=*/true);
    return {of_arriving, of_products, by_weight, by_bias};
  }

  at::Tensor by_samples(const at::Tensor& arriving, const at::Tensor& samples, const at::Tensor& weight,
                        const Statistics& all, const Sums& sums, const at::Tensor& counts) const override {
    return at::batch_norm_backward_elemt(arriving, samples, all.mean, all.inverse_deviation, weight, sums.of_arriving,
                                         sums.of_products, counts);
  }
};

}  // namespace

const BatchNormPieces* batch_norm_pieces_of(at::Device device) {
  static const AtenPieces pieces;
  return device.is_cuda() ? &pieces : nullptr;
}

}  // namespace negatron
