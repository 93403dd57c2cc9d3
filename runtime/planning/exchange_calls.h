#pragma once

#include <vector>

#include "runtime/planning/network.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

/// One collective as one rank sees it. Bytes as comm/traffic.h counts them.
struct PlannedCall {
  /// What for.
  const char* purpose = "";
  Collective collective = Collective::kAllGather;
  /// This rank and those that it exchanges bytes with.
  std::int64_t ranks = 1;
  std::int64_t sent = 0;
  std::int64_t received = 0;
};

/// The collectives that `rank` makes in BankExchange::run, in their order, within its group of `job.shards` ranks, and
/// where rows learn that of row_gradient(). `further_round`: with hardest rows, whether lists are completed in a
/// further round (hard_set.h). Its keys are not counted: how many are missing depends on the bank. Local.
std::vector<PlannedCall> exchange_calls(const PlannedJob& job, std::int64_t rank, bool further_round);

/// Of a memory and of a parametric bank: the ids of the whole batch, rows of own samples on their way to who asks for
/// them, and what goes back to their owners, over all ranks: queries and labels (sample_rows.h), or gradients
/// (listed_rows.h). Which rows lie elsewhere depends on the batch: bytes are those of a batch of which every rank owns
/// the same part, which they are on average. None for other kinds. Local.
std::vector<PlannedCall> sample_row_calls(const PlannedJob& job, std::int64_t rank);

/// Of BankMesh::enqueue: none with one copy of the bank, and none where rows stay. The ranks that a key goes to, one of
/// every copy, are taken for neighbours; where a copy fills a node they are not, so few large copies cost somewhat more
/// than this says. Local.
std::vector<PlannedCall> enqueue_calls(const PlannedJob& job, std::int64_t rank);

/// Of the GradientReducer, in buckets of its size; the last may be smaller. Local.
std::vector<PlannedCall> gradient_calls(const PlannedJob& job, std::int64_t rank);

/// m, the length of the lists of the hardest rows that a shard sends.
std::int64_t list_length(const PlannedJob& job);

/// Whether to expect that some query of a step needs the further round.
bool expects_further_round(const PlannedJob& job);

/// The queries that one copy of the bank answers in a step: those of the ranks that share it with `rank`.
std::int64_t group_queries(const PlannedJob& job, std::int64_t rank);

}  // namespace negatron
