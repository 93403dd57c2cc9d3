#include "samplers/pass/score_term.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "comm/require.h"

namespace negatron {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// g as a function of D = sqrt(max(2 - 2 s, floor)), where dD/ds = -1 / D.
Summands distance_summands(TermShape shape, const at::Tensor& scores, const at::Tensor& offset) {
  const at::Tensor squared = scores.mul(-2.0).add_(2.0);
  // A factor of 0 or 1: below the floor D does not depend on s, whatever 1 / D is there (FORMULAS.md 5). Rounding may
  // make 2 - 2 s negative, which the floor catches as well.
  const at::Tensor above_floor = (squared > kLeastSquaredDistance).to(scores.scalar_type());
  const at::Tensor distance = squared.clamp_min(kLeastSquaredDistance).sqrt_();
  const at::Tensor gap = offset - distance;
  const at::Tensor active = (gap > 0.0).to(scores.scalar_type());
  switch (shape) {
    case TermShape::kMinusDistance:
      // g = o - D, so dg/ds = -dD/ds = 1 / D.
      return {gap, above_floor / distance, at::ones_like(scores)};
    case TermShape::kDistanceHinge:
      return {gap * active, active * above_floor / distance, active};
    case TermShape::kDistanceHingeSquared: {
      const at::Tensor hinge = gap * active;
      return {hinge.square() * 0.5, hinge * above_floor / distance, hinge};
    }
    default:
      return {active, at::zeros_like(scores), at::zeros_like(scores)};
  }
}

/// Shares of the left and of the right set in their union, and its log mass, from the log mass of both.
struct Union {
  at::Tensor left;
  at::Tensor right;
  at::Tensor log_mass;
};

Union unite(const at::Tensor& left, const at::Tensor& right) {
  const at::Tensor peak = at::maximum(left, right);
  // Where both are empty the peak is -infinity and a difference with it would be NaN.
  const at::Tensor shift = peak.masked_fill(peak == -kInfinity, 0.0);
  const at::Tensor left_mass = (left - shift).exp();
  const at::Tensor right_mass = (right - shift).exp();
  const at::Tensor mass = left_mass + right_mass;
  // Where both are empty the shares are 0 and the log mass is 0 + log 0 = -infinity. Where one is, its e is 0, and the
  // other's number comes out as it went in.
  const at::Tensor divisor = mass.masked_fill(mass == 0.0, 1.0);
  return {left_mass / divisor, right_mass / divisor, shift + mass.log()};
}

/// a x + b y with a, b [Q] and x, y [Q] or [Q, d]; undefined when x is.
at::Tensor weighted(const Union& shares, const at::Tensor& left, const at::Tensor& right) {
  if (!left.defined()) return {};
  const bool vectors = left.dim() == 2;
  at::Tensor sum = left * (vectors ? shares.left.unsqueeze(1) : shares.left);
  return sum.addcmul_(right, vectors ? shares.right.unsqueeze(1) : shares.right);
}

at::Tensor added(const at::Tensor& left, const at::Tensor& right) {
  return left.defined() ? left + right : at::Tensor();
}

}  // namespace

bool is_plain(const ScoreTerm& term) {
  return term.shape == TermShape::kLinear && term.reduction == Reduction::kLogSumExp &&
         term.rows == TermRows::kCandidates;
}

double largest_scale(const std::vector<ScoreTerm>& terms) {
  double largest = 0.0;
  for (const ScoreTerm& term : terms) largest = std::max(largest, std::abs(term.scale));
  return largest;
}

int query_parts(double scale, std::int64_t width, RowLength length) {
  if (length == RowLength::kAsMade) return scale > 0.0 ? 2 : 1;
  return scale > kMostCoarseScale * std::sqrt(static_cast<double>(width)) ? 2 : 1;
}

at::Tensor term_offset(const ScoreTerm& term, const at::Tensor& queries) {
  if (!term.query_offset.defined()) return at::full({1, 1}, term.offset, queries.options());
  return term.query_offset.detach().to(queries.options()).add(term.offset).unsqueeze(1);
}

Summands summands(const ScoreTerm& term, const at::Tensor& scores, const at::Tensor& offset) {
  switch (term.shape) {
    case TermShape::kMinusDistance:
    case TermShape::kDistanceHinge:
    case TermShape::kDistanceHingeSquared:
    case TermShape::kDistanceStep:
      return distance_summands(term.shape, scores, offset);
    case TermShape::kOne:
      return {at::ones_like(scores), at::zeros_like(scores), at::zeros_like(scores)};
    default:
      break;
  }
  const at::Tensor u = at::add(offset, scores, term.scale);
  switch (term.shape) {
    case TermShape::kSoftplus: {
      const at::Tensor slope = u.sigmoid();
      // log(1 + e^u) = -log sigmoid(-u), which overflows for no u.
      return {at::log_sigmoid(u.neg()).neg_(), slope * term.scale, slope};
    }
    case TermShape::kHinge: {
      const at::Tensor active = (u > 0.0).to(u.scalar_type());
      return {u.clamp_min(0.0), active * term.scale, active};
    }
    case TermShape::kStep:
      return {(u > 0.0).to(u.scalar_type()), at::zeros_like(u), at::zeros_like(u)};
    case TermShape::kSquare:
      return {u.square(), u * (2.0 * term.scale), u * 2.0};
    default:
      return {u, at::full_like(u, term.scale), at::ones_like(u)};
  }
}

TermResult empty_result(const ScoreTerm& term, const at::Tensor& queries) {
  const std::int64_t count = queries.size(0);
  TermResult result;
  // The identity of merge(): a shard without a candidate for the query, or one without rows, changes nothing.
  result.value = at::full({count}, term.reduction == Reduction::kLogSumExp ? -kInfinity : 0.0, queries.options());
  if (term.want_gradient) result.gradient = at::zeros(queries.sizes(), queries.options());
  if (term.want_slope) result.slope = at::zeros({count}, queries.options());
  if (term.reduction == Reduction::kSoftmaxMean) result.log_weight = at::full({count}, -kInfinity, queries.options());
  return result;
}

TermResult merge(const ScoreTerm& term, const TermResult& left, const TermResult& right) {
  if (term.reduction == Reduction::kSum) {
    return {added(left.value, right.value), added(left.gradient, right.gradient), added(left.slope, right.slope), {}};
  }
  const bool log_sum_exp = term.reduction == Reduction::kLogSumExp;
  // A log-sum-exp is its own log mass. The mean of a kSoftmaxMean says nothing of its weight, which travels beside it.
  const Union shares = log_sum_exp ? unite(left.value, right.value) : unite(left.log_weight, right.log_weight);
  TermResult result;
  result.value = log_sum_exp ? shares.log_mass : weighted(shares, left.value, right.value);
  result.gradient = weighted(shares, left.gradient, right.gradient);
  result.slope = weighted(shares, left.slope, right.slope);
  if (!log_sum_exp) result.log_weight = shares.log_mass;
  return result;
}

void check_term(const ScoreTerm& term, const at::Tensor& queries) {
  require(std::isfinite(term.scale) && std::isfinite(term.offset) && std::isfinite(term.weight_scale),
          "pass: the scale, offset and weight scale of a term must be finite");
  require(!term.query_offset.defined() || (term.query_offset.dim() == 1 && term.query_offset.is_floating_point() &&
                                           term.query_offset.size(0) == queries.size(0)),
          "pass: the query offset of a term must be floating and [Q], one for each query");
}

}  // namespace negatron
