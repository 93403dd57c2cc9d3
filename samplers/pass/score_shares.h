#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/score_term.h"

namespace negatron {

/// What a row or view that queries met needs to know of one term of each query to find its share in the loss.
struct TermShare {
  ScoreTerm term;
  /// [Q] dL/dterm; undefined where the loss does not depend on the term.
  at::Tensor by_term;
  TermResult result;
};

/// Of a query per term: dL/dterm, normaliser, offset.
inline constexpr std::int64_t kShareNumbers = 3;

/// These numbers, [Q, T, 3], for T terms of Q queries. The normaliser is what the summand of a row is divided by, as a
/// logarithm: the value of a log-sum-exp, the log weight of a softmax mean, 0 for a sum; infinite over no row, so that
/// nothing is left of it. They are all that must travel for the gradient of rows: three numbers and no vector. Local.
at::Tensor share_numbers(const std::vector<TermShare>& shares, at::ScalarType type);

/// dL/ds of scores s of one term, of any shape, `numbers` [..., 3] and `bias` (log weights of the rows, undefined for
/// none) broadcasting against them: dL/dterm p(s) g'(s), where g is the shape of the term and p is 1 for a sum, else
/// exp(exponent - normaliser), with the exponent g(s) for a log-sum-exp and weight_scale s for a softmax mean. Any
/// number where a row and a query did not meet. Local.
at::Tensor by_score(const ScoreTerm& term, const at::Tensor& scores, const at::Tensor& numbers,
                    const at::Tensor& bias = {});

}  // namespace negatron
