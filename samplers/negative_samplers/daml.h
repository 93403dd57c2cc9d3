#pragma once

#include <memory>

#include "samplers/generators/daml_generator.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// One negative that a network makes of query, positive and the hardest row of the bank (DamlGenerator), alone or
/// beside the rows of the bank (Duan et al., DAML, CVPR 2018; SAMPLERS.md 20).
class Daml : public NegativeSampler {
 public:
  explicit Daml(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  const NegativeGenerator* generator() const override { return generator_.get(); }

 private:
  NegativeRequest base_;
  std::unique_ptr<DamlGenerator> generator_;
};

}  // namespace negatron
