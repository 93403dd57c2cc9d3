#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/exchange/query_batch.h"

namespace negatron {

/// This rank's part of a step but its vectors: what is known before any view is encoded, made once a step. b samples.
struct ContrastBatch {
  at::Tensor ids;         // [b] int64 or undefined
  at::Tensor labels;      // [b] int64 or undefined
  at::Tensor key_labels;  // [b] int64; undefined when they are those of the queries, as they are for views of one image
  /// Of the samples that were mined for each, [b, L] int64 on the host; undefined without any, and labels where there
  /// are none. One that is the query's own sample is not met, and with objectives by label one of its label is a
  /// positive.
  at::Tensor mined_ids;
  at::Tensor mined_labels;
  QueryShares shares;  // over the ranks of `comm`
  /// The ranks that share the bank, and the queries of each; null when these are the ranks of `comm`.
  Communicator* bank_group = nullptr;
  QueryShares bank_shares;
  /// [Q] int64 on the host, the ids of all queries that meet the bank of this rank, where they were exchanged already;
  /// undefined where they go with the queries.
  at::Tensor bank_ids;
  std::int64_t step = 0;
  /// Training progress in epochs, and as a share of the run.
  double epoch = 0.0;
  double progress = 0.0;
  /// The step reports how often the positive beats every negative. Else ContrastOutput::correct may be NaN, where that
  /// is faster.
  bool needs_accuracy = true;
  /// Rows of the bank learn to raise an InfoNCE at this temperature, whatever the objective is (AdCo; GRADIENT.md 9),
  /// and ContrastOutput::row_gradient is wanted; 0 where they do not. All ranks share one copy of the bank then.
  double rows_tau = 0.0;
  /// Rows of the bank are trained with the encoder, and the gradient of the loss itself by what queries met of them is
  /// wanted as ContrastOutput::row_gradient (GRADIENT.md 12). Does not go with rows_tau, nor with several copies.
  bool rows_follow = false;
  /// Of rows that learn: only what queries met is wanted of the gradient, as the others stay as they are.
  bool only_met_rows = false;
  /// So many hardest rows of each query are wanted in `ContrastOutput::negatives`; 0 for none.
  std::int64_t report_hardest = 0;
};

}  // namespace negatron
