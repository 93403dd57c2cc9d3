#pragma once

#include "samplers/negative_samplers/registry.h"
#include "samplers/negative_samplers/weighted_slots.h"

namespace negatron {

/// Some rows at random, samples that are counted often more often: by a power of their count (word2vec), or by their
/// place in the order of counts (PNS). SAMPLERS.md 23.
class Popularity : public NegativeSampler {
 public:
  explicit Popularity(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  WeightedSlots slots_;
  /// [K], undefined where draws do not stand for the bank.
  at::Tensor log_weights_;
};

}  // namespace negatron
