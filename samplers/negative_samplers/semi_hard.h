#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// One negative a query, harder than some and easier than the positive: D(q, k+)^2 < D(q, n)^2 < D(q, k+)^2 + margin
/// (Schroff et al., FaceNet, CVPR 2015; SAMPLERS.md 10). In scores of unit vectors: s+ - margin / 2 < s < s+. The
/// rule "below-margin" drops the first inequality, so that negatives harder than the positive count too. A query
/// without any such row meets none, or, with the fallback, a row on the positive's side of it.
class SemiHard : public NegativeSampler {
 public:
  explicit SemiHard(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  bool draws_by_keys() const override { return true; }

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  double margin_;
  bool below_positive_;
  bool hardest_;
  bool falls_back_;
};

}  // namespace negatron
