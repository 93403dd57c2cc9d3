#include "samplers/negative_samplers/popularity.h"

#include <stdexcept>

namespace negatron {
namespace {

at::Tensor checked(const at::Tensor& counts) {
  const at::Tensor values = counts.to(at::kDouble);
  if (values.dim() != 1 || values.lt(0.0).any().item<bool>() || !values.gt(0.0).any().item<bool>()) {
    throw std::invalid_argument("popularity: counts must be [K], at least 0, and one of them above 0");
  }
  return values;
}

}  // namespace

at::Tensor unigram_probabilities(const at::Tensor& counts, double exponent) {
  const at::Tensor values = checked(counts);
  // Counts 16, 1, 81 to the power of 0.75 are 8, 1, 27, hence 0.222, 0.028, 0.750 (SAMPLERS.md 17). A count of 0 is
  // never drawn, not even with an exponent of 0 or below, where powers of 0 are 1 or infinite.
  const at::Tensor weights = at::where(values > 0.0, values.pow(exponent), at::zeros_like(values));
  return weights / weights.sum();
}

at::Tensor popularity_rank_probabilities(const at::Tensor& counts, double lambda) {
  if (!(lambda > 0.0)) throw std::invalid_argument("popularity: lambda must be positive");
  const at::Tensor values = checked(counts);
  // Ties go to the lower slot, so that all ranks agree on the ranks.
  const at::Tensor slots = values.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  // exp(-(rank - 1) / lambda): the same distribution, and the first never underflows.
  const at::Tensor by_rank = at::arange(values.size(0), values.options()).div(-lambda).exp();
  return at::empty_like(values).index_copy_(0, slots, by_rank / by_rank.sum());
}

}  // namespace negatron
