#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"

namespace negatron {

/// What to compute of the scores s_ij = q_i . n_j (algorithms.md 1.12).
///
/// How the next needs enter, without a change of what stands here: a top-m filter is one more member (m) with scores
/// and local rows in the result; a dense mask rule (thresholds, labels) is one more member that holds its operands per
/// query and per row, and is applied where exclusions are, to each tile of raw scores.
struct PassRequest {
  /// [Q, d] fp32 or fp64, unit rows. Rows are converted to this dtype a tile at a time; scores and sums are in it.
  at::Tensor queries;
  /// One or two factors c of the scores, for example 1/tau; the first above 0, the second at least 0. The scores of all
  /// scales come from one sweep.
  std::vector<double> scales;
  /// [n] added to every scaled score, finite (a log weight per row); undefined for none.
  at::Tensor bias;
  /// [M, 2] int64 on the host: pairs (query, row) that must not score, each pair once and of a valid row; undefined for
  /// none.
  at::Tensor exclusions;
  bool want_max = false;
};

/// Over the rows that may score for a query: valid and not excluded. Q queries, S scales, dtype of the queries.
struct PassResult {
  /// [S, Q] l = log sum_j exp(c s_ij + bias_j); -infinity when no row may score.
  at::Tensor log_sum_exp;
  /// [S, Q, d] O = sum_j softmax_j(c s_ij + bias_j) n_j; 0 when no row may score. c O is the gradient of l.
  at::Tensor mean;
  /// [Q] int64, how many rows scored.
  at::Tensor count;
  /// [Q] the largest s_ij (no scale, no bias), -infinity when no row may score; undefined unless wanted.
  at::Tensor max;
};

/// Scores queries against local rows. Local; const and safe to call from several threads.
class Pass {
 public:
  virtual ~Pass() = default;
  /// Throws std::invalid_argument when a shape, dtype or scale is wrong. Takes and gives no gradient.
  virtual PassResult run(const Rows& rows, const PassRequest& request) const = 0;
};

/// The checks of `Pass::run` that every implementation starts with.
void check_pass_request(const Rows& rows, const PassRequest& request);

}  // namespace negatron
