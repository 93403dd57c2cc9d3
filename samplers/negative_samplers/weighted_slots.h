#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"

namespace negatron {

/// Draws of slots with replacement, each with a probability of its own that does not depend on the query, from a bank
/// whose rows have samples. Every rank holds all probabilities and draws for its own queries, whose slots travel with
/// them.
class WeightedSlots {
 public:
  /// weights [K] fp64, at least 0 and not all 0: slot s is drawn with probability weights[s] / their sum. Local.
  explicit WeightedSlots(const at::Tensor& weights);

  /// [b, m] int64 on the host, for the own queries of `batch`: a function of (seed, step, position of the query in the
  /// global batch, draw). Local.
  at::Tensor draw(const Bank& bank, const QueryBatch& batch, std::uint64_t seed, std::int64_t m) const;
  /// [K] fp64 log of 1 / (m p) of each slot, 0 for those that are never drawn: sums over m draws that count so often
  /// estimate sums over the whole bank. Local.
  at::Tensor log_weights(std::int64_t m) const;

 private:
  /// Sums of the weights up to and with each slot.
  std::vector<double> ends_;
};

}  // namespace negatron
