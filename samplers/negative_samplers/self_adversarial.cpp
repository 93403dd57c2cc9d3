#include "samplers/negative_samplers/self_adversarial.h"

namespace negatron {

SamplerDescription SelfAdversarial::describe() {
  return {"self-adversarial",
          "Sun et al., RotatE, ICLR 2019",
          "the whole bank, summed with softmax weights",
          {Effect::kScoreTransform},
          {{"alpha", 5.0, "weights are softmax(alpha * score); alpha = 1 / T of GraphVite", 0.0}}};
}

SelfAdversarial::SelfAdversarial(const SamplerArguments& arguments) : base_(arguments.base) {
  // The exchange turns each sum over rows into a mean with the weights softmax(alpha s), which shards can merge by
  // their log weights (SAMPLERS.md 9). Log-sum-exps stay as they are.
  base_.self_adversarial_scale = arguments.options.number("alpha");
}

NegativeRequest SelfAdversarial::request(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron
