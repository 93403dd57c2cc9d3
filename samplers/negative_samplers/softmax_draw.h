#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// m rows drawn without replacement from softmax(score / T) over the whole bank, or over some random candidates of each
/// query, by Gumbel numbers: no normaliser is needed (SAMPLERS.md 13). What adversarial samplers draw from.
class SoftmaxDraw : public NegativeSampler {
 public:
  explicit SoftmaxDraw(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  /// 0 for the whole bank.
  std::int64_t candidates_;
  double temperature_;
};

}  // namespace negatron
