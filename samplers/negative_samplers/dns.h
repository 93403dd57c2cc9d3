#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Some negatives a query, each the hardest of m random rows of its own (Zhang et al., SIGIR 2013; SAMPLERS.md 17). The
/// paper trains pairs, so it draws one; a softmax wants more.
class Dns : public NegativeSampler {
 public:
  explicit Dns(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  std::int64_t draws_;
};

}  // namespace negatron
