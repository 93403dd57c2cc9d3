#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Negatives that an index of all samples chooses, as an older encoder made them, and that this one encodes anew, with
/// gradient (Xiong et al., ANCE, ICLR 2021; SAMPLERS.md 22). What it describes is what is mined; in a step the rows of
/// the bank themselves are met only where it is asked for.
class Ance : public NegativeSampler {
 public:
  explicit Ance(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  bool meets_rows() const override { return !base_.sets.empty(); }

 private:
  NegativeRequest base_;
};

}  // namespace negatron
