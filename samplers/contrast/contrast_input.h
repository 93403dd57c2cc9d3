#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron {

/// This rank's part of a step.
struct ContrastInput {
  at::Tensor queries;     // [b, d] fp32 or fp64, with gradient
  at::Tensor keys;        // [b, d] same dtype; with gradient when both views pass the query encoder
  at::Tensor ids;         // [b] int64 or undefined
  at::Tensor labels;      // [b] int64 or undefined
  at::Tensor key_labels;  // [b] int64; undefined when they are those of the queries, as they are for views of one image
  QueryShares shares;     // over the ranks of `comm`
  /// The ranks that share the bank, and the split over them; null when these are the ranks of `comm`.
  Communicator* bank_group = nullptr;
  QueryShares bank_shares;
  std::int64_t step = 0;
  double epoch = 0.0;
  double progress = 0.0;
  /// So many hardest rows of each query are wanted in `ContrastOutput::negatives`; 0 for none.
  std::int64_t report_hardest = 0;
};

/// Scalars are sums over this rank's anchors unless said otherwise.
struct ContrastOutput {
  /// This rank's part of the global loss, with gradient: its sum over ranks is the loss, and the sum over ranks of the
  /// gradients with respect to parameters is the gradient of the loss, exactly, also for ragged batches.
  at::Tensor loss;
  at::Tensor per_anchor;           // [A] without gradient
  at::Tensor positive_similarity;  // s+ over own queries
  /// Over own queries: the mean score of the negatives as the first term's softmax weights them; 0 when there is none.
  at::Tensor negative_similarity;
  /// Queries whose positive is strictly more similar than every real negative (proxy-task accuracy,
  /// algorithms.md 13.2).
  at::Tensor correct;
  std::map<std::string, at::Tensor> metrics;
  /// What the bank gave; empty without one.
  NegativeResult negatives;
};

}  // namespace negatron
