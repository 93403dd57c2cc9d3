#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"

namespace negatron {

/// This rank's part of a step as a policy sees it. Without gradient.
struct QueryBatch {
  at::Tensor queries;  // [b, d] unit rows
  at::Tensor keys;     // [b, d] unit rows, the positives
  at::Tensor ids;      // [b] int64 sample ids, below 0 for "none"
  std::int64_t global_batch = 0;
  std::int64_t step = 0;
  /// Of the objective, `Objective::scales()`; the policy passes them on or derives its own from them.
  std::vector<double> scales;
};

/// Says which negatives a batch of queries meets, and how they are weighted. Describes; never communicates. Local.
class NegativeSampler {
 public:
  virtual ~NegativeSampler() = default;
  virtual NegativeRequest draw(const Bank& bank, const QueryBatch& batch) const = 0;
};

}  // namespace negatron
