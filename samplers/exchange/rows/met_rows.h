#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// What the Q queries of a group met of one set of negatives on this shard.
struct MetSet {
  Rows rows;
  /// With the queries [Q, d].
  Candidates candidates;
  /// [n] log weight of each row; undefined when all count once.
  at::Tensor bias;
  /// [Q, L] int64: the local rows that each query met, -1 for none, a row as often as it is there; then the windows of
  /// the candidates do not matter. Undefined for all candidates.
  at::Tensor lists;
};

/// What they met of all sets, kept where the gradient goes on to the rows.
struct MetRows {
  std::vector<MetSet> sets;
  /// Whose the Q queries are.
  QueryShares shares;
};

}  // namespace negatron
