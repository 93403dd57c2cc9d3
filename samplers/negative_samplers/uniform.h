#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// m rows of the bank at random, with replacement: every rank draws the same ones for itself, so no index travels
/// (SAMPLERS.md 12). A draw that hits a masked row is passed over.
class Uniform : public NegativeSampler {
 public:
  explicit Uniform(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  bool stand_for_bank_;
};

}  // namespace negatron
