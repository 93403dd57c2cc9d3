#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Every row that has not the query's label: what a sampler could reach that made no false negative (SAMPLERS.md 15).
/// For analysis: it sees labels, so a run must allow it by a flag.
class Oracle : public NegativeSampler {
 public:
  explicit Oracle(const SamplerArguments& arguments) : base_(arguments.base) {}
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
};

}  // namespace negatron
