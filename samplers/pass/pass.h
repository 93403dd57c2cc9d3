#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// What to compute of the scores s_ij = q_i . n_j of the candidates (algorithms.md 1.12). All terms come from one
/// sweep.
struct PassRequest {
  Candidates candidates;
  std::vector<ScoreTerm> terms;
  /// [n] log weight of each row, finite; undefined for none.
  at::Tensor bias;
  bool want_max = false;
  /// Also the keys of the so many best candidates of each query by score; 0 for none.
  std::int64_t best = 0;
};

/// Over the rows that each query may meet. Q queries, dtype of the queries.
struct PassResult {
  /// As requested, in that order.
  std::vector<TermResult> terms;
  /// [Q] int64, how many rows scored.
  at::Tensor count;
  /// [Q] the largest s_ij, -infinity when no row may score; undefined unless wanted.
  at::Tensor max;
  /// [Q, best] as best_keys() (selection.h) yields them; undefined unless wanted.
  at::Tensor best;
};

/// Scores queries against local rows. Local; const and safe to call from several threads.
///
/// With selection windows the scores are computed in fp64, because membership is decided on them, and then rounded to
/// the dtype of the queries.
class Pass {
 public:
  virtual ~Pass() = default;
  /// Throws std::invalid_argument when a shape, dtype or term is wrong. Takes and gives no gradient.
  virtual PassResult run(const Rows& rows, const PassRequest& request) const = 0;
};

/// The result over no row.
PassResult empty_result(const PassRequest& request);
/// The result over the union of two disjoint sets of rows: terms as merge() of score_term.h, counts add up, the larger
/// maximum, the best of both. Local.
PassResult merge(const std::vector<ScoreTerm>& terms, const PassResult& left, const PassResult& right);

/// The checks of `Pass::run` that every implementation starts with.
void check_pass_request(const Rows& rows, const PassRequest& request);

}  // namespace negatron
