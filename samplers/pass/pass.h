#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"
#include "samplers/pass/candidates.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// What to compute of the scores s_ij = q_i . n_j of the candidates (FORMULAS.md 1 and 4). All terms come from one
/// sweep.
struct PassRequest {
  Candidates candidates;
  std::vector<ScoreTerm> terms;
  /// [n] log weight of each row, finite; undefined for none.
  at::Tensor bias;
  bool want_max = false;
  /// The maximum is only welcome: a pass that is faster without it leaves NaN for every query.
  bool may_skip_max = false;
  /// How many of the best candidates of each query by score are wanted besides, as keys; 0 for none.
  std::int64_t best = 0;
};

/// The largest scale that kernels are made for. Logits of unit rows stay below 2^23 with it, beyond which fp32 holds
/// whole numbers only. Scores of raw rows may take logits further: kernels shift by the largest logit that they met, so
/// results are as good as fp32 has the logits, up to 2^60.
inline constexpr double kLargestKernelScale = 1e6;

/// Whether a request is what kernels are made for: plain terms (score_term.h) of scales up to kLargestKernelScale, best
/// rows, or both, over all rows but those excluded, without label rules, windows and positives. Local.
bool is_plain_request(const PassRequest& request);

/// The request for the m best candidates by score and for nothing else.
PassRequest best_request(const Candidates& candidates, std::int64_t m);

/// What the terms and the best rows of a request came to, over the rows that each query may meet. Q queries, dtype of
/// the queries.
struct PassResult {
  /// What each requested term came to, in their order.
  std::vector<TermResult> terms;
  /// [Q] int64, how many rows scored.
  at::Tensor count;
  /// [Q] the largest s_ij, -infinity when no row may score, NaN when it was skipped; undefined unless wanted.
  at::Tensor max;
  /// [Q, best] as Pass::best() yields them in the order by score; undefined unless wanted.
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
  /// The m best candidates of each query in `order`: keys [Q, m] int64 ascending, kAfterAllKeys where a query has
  /// fewer. All passes find the same keys: this one by the exact scores of all candidates (exhaustive_best_keys()),
  /// others faster where they can. Throws std::invalid_argument when a tensor that the order needs is missing or m is
  /// negative.
  virtual at::Tensor best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                          std::int64_t m) const;
};

/// The result over no row.
PassResult empty_result(const PassRequest& request);
/// The result over the union of two disjoint sets of rows: terms as merge() of score_term.h, counts add up, the larger
/// maximum, the best of both. Local.
PassResult merge(const std::vector<ScoreTerm>& terms, const PassResult& left, const PassResult& right);

/// The checks of `Pass::run` that every implementation starts with.
void check_pass_request(const Rows& rows, const PassRequest& request);

}  // namespace negatron
