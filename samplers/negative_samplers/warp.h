#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// One negative a query: of random rows the first that violates the margin, within a number of trials (Weston, Bengio,
/// Usunier, "WSABIE", IJCAI 2011; SAMPLERS.md 18). From the number of trials the objective margin-ranking estimates how
/// many rows outrank the positive. A query without a violator meets none.
class Warp : public NegativeSampler {
 public:
  explicit Warp(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  bool draws_by_keys() const override { return true; }

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  double margin_;
  std::int64_t most_trials_;
};

}  // namespace negatron
