#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// The N hardest rows of the whole bank for each query, or some drawn from them (dynamic negative sampling, Zhang et
/// al., SIGIR 2013; SAMPLERS.md 4). The hardest few may be cut off: they are the likeliest false negatives and
/// hardly help (Cai et al., arXiv 2010.06682).
class TopN : public NegativeSampler {
 public:
  explicit TopN(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t n_;
  std::int64_t draw_;
  std::int64_t skip_;
  double warmup_epochs_;
};

}  // namespace negatron
