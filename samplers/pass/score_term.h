#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/row_length.h"

namespace negatron {

/// The score of what a query must not meet.
inline constexpr double kMasked = -std::numeric_limits<double>::infinity();

/// How one score s = q . n becomes one summand, from u = scale * s + offset. Distances are between unit vectors:
/// D = sqrt(max(2 - 2 s, kLeastSquaredDistance)).
enum class TermShape {
  kOne,                   ///< 1: counts rows
  kLinear,                ///< u
  kSoftplus,              ///< log(1 + exp(u))
  kHinge,                 ///< max(0, u)
  kStep,                  ///< 1 if u > 0, else 0; no gradient: counts active hinges
  kSquare,                ///< u^2
  kMinusDistance,         ///< offset - D (the scale does not matter, here and below)
  kDistanceHinge,         ///< max(0, offset - D)
  kDistanceHingeSquared,  ///< max(0, offset - D)^2 / 2
  kDistanceStep           ///< 1 if D < offset, else 0; no gradient
};

/// Inside the root of a distance, whose gradient at 0 is infinite (FORMULAS.md 5).
inline constexpr double kLeastSquaredDistance = 1e-12;

/// How the summands g_j of all rows become one number per query, with row weights w_j = exp(bias_j).
enum class Reduction {
  kLogSumExp,   ///< log sum_j w_j exp(g_j); -infinity over no row
  kSum,         ///< sum_j w_j g_j; 0 over no row
  kSoftmaxMean  ///< sum_j p_j g_j with p = softmax_j(weight_scale * s_j + bias_j), no gradient through p; 0 over no row
};

/// Which rows a term runs over.
enum class TermRows {
  kCandidates,  ///< every row that may score
  kPositives    ///< those candidates that count as further positives of the query (PositiveRule)
};

/// One number per query about the rows it meets, which is all that an objective ever learns about the bank. A pass
/// yields it together with its gradient with respect to the query, because bank rows take none (FORMULAS.md 1 and 4).
struct ScoreTerm {
  TermShape shape = TermShape::kLinear;
  Reduction reduction = Reduction::kLogSumExp;
  TermRows rows = TermRows::kCandidates;
  double scale = 1.0;
  double offset = 0.0;
  /// The scale of the weights of a kSoftmaxMean; other reductions do not read it.
  double weight_scale = 0.0;
  /// [Q] added to `offset`, for example margin - s+; undefined for none.
  at::Tensor query_offset;
  /// Whether d/dq is needed; a [Q, d] message per shard saved where not.
  bool want_gradient = true;
  /// Whether d/doffset is needed.
  bool want_slope = false;
};

/// Whether the term is a log-sum-exp of scaled scores over all candidates, as nearly every objective wants it.
bool is_plain(const ScoreTerm& term);

/// The largest scale of some terms in absolute value; 0 without terms.
double largest_scale(const std::vector<ScoreTerm>& terms);

/// A query in bf16 is off by up to 2^-8 of each of its numbers, which moves a score of unit vectors by about 2^-9 /
/// sqrt(d), a logit by `scale` times that, and the direction of the gradient by 2e-3. Measured on random unit rows (d =
/// 128, K = 65,536) the log-sum-exp is then off by 1e-5 of itself at scale 5 and 8e-5 at 14; scale 100 would cost 1e-3.
/// So where the largest scale is above kMostCoarseScale sqrt(d), kernels take a query for the sum of two bf16 parts,
/// which brings 2e-6 for half as much time again.
inline constexpr double kMostCoarseScale = 2.0;
///
/// Where rows have any length, the logits that this is about are larger by |q| |n|, which nobody knows beforehand:
/// queries are then two parts at any scale. What scales by nothing, as a search for best rows alone, stays at one.
///
/// Of how many parts a query of `width` numbers consists where kernels round it to bf16, 1 or 2.
int query_parts(double scale, std::int64_t width, RowLength length);

/// What a term came to. Dtype of the queries.
struct TermResult {
  at::Tensor value;     // [Q]
  at::Tensor gradient;  // [Q, d] d value / d q with the rows held fixed, 0 over no row; undefined unless wanted
  at::Tensor slope;     // [Q] d value / d offset, 0 over no row; undefined unless wanted
  /// [Q] log sum_j exp(weight_scale s_j + bias_j) of kSoftmaxMean, by which partial means are merged; else undefined.
  at::Tensor log_weight;
};

/// offset + query_offset in the dtype of `queries` [Q, d], without gradient: [Q, 1], or [1, 1] when it is the same for
/// all queries.
at::Tensor term_offset(const ScoreTerm& term, const at::Tensor& queries);

/// g, dg/ds and dg/doffset at finite scores [...], all of that shape; `offset` broadcasts against them. 0 is the
/// derivative where a hinge begins and below the least distance. Elementwise. Local.
struct Summands {
  at::Tensor value;
  at::Tensor by_score;
  at::Tensor by_offset;
};
Summands summands(const ScoreTerm& term, const at::Tensor& scores, const at::Tensor& offset);

/// The result of a term over no row for `queries` [Q, d].
TermResult empty_result(const ScoreTerm& term, const at::Tensor& queries);

/// The result over the union of two disjoint sets of rows. With M = max(l1, l2) and e = exp(l - M), values, gradients
/// and slopes of log-sum-exps and softmax means merge as (e1 x1 + e2 x2) / (e1 + e2), sums add up (FORMULAS.md 3).
/// A set of no row is the identity, bit for bit. Local.
TermResult merge(const ScoreTerm& term, const TermResult& left, const TermResult& right);

/// Throws std::invalid_argument when a term cannot be computed for Q queries: a scale or offset that is not finite, a
/// query_offset of another shape.
void check_term(const ScoreTerm& term, const at::Tensor& queries);

}  // namespace negatron
