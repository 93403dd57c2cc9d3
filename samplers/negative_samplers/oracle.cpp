#include "samplers/negative_samplers/oracle.h"

namespace negatron {

SamplerDescription Oracle::describe() {
  return {"oracle",
          "Kalantidis et al., MoCHi, NeurIPS 2020, class oracle",
          "every row of another class; sees labels, for analysis only",
          {Effect::kMask},
          {},
          {Need::kLabels, Need::kOracleConsent}};
}

NegativeRequest Oracle::request(const Bank&, const QueryBatch&) const {
  NegativeRequest request = base_;
  // A mask and no set: which rows it bars each shard knows by their labels, and no rank is to be found (SAMPLERS.md
  // 15).
  request.label_rule = LabelRule::kDifferent;
  return request;
}

}  // namespace negatron
