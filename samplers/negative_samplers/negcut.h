#pragma once

#include <memory>

#include "samplers/generators/negcut_generator.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Negatives that an adversary makes of the query and noise (NegcutGenerator), alone or beside the rows of the bank
/// (Wang et al., NEGCUT, ICCV 2021; SAMPLERS.md 19).
class Negcut : public NegativeSampler {
 public:
  explicit Negcut(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  bool meets_rows() const override { return !base_.sets.empty(); }
  const NegativeGenerator* generator() const override { return generator_.get(); }

 private:
  NegativeRequest base_;
  std::unique_ptr<NegcutGenerator> generator_;
};

}  // namespace negatron
