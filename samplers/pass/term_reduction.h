#pragma once

#include <ATen/ATen.h>

#include "samplers/pass/score_term.h"

namespace negatron {

/// Scores of Q queries, n of each: shared rows of a tile, or each query's own list.
struct ScoredRows {
  at::Tensor scores;    // [Q, n] finite
  at::Tensor bias;      // log weights, broadcast against the scores; undefined for none
  at::Tensor left_out;  // [Q, n] bool, what a term does not run over; undefined for none
};

/// A term over scored rows, but for the product with the rows themselves.
struct ReducedTerm {
  at::Tensor value;        // [Q]
  at::Tensor coefficient;  // [Q, n] d value / d s_j, 0 where left out; undefined unless a gradient is wanted
  at::Tensor slope;        // [Q], undefined unless wanted
  at::Tensor log_weight;   // [Q] of kSoftmaxMean, else undefined
};

/// `offset` is that of term_offset(). Local.
ReducedTerm reduce_term(const ScoreTerm& term, const ScoredRows& rows, const at::Tensor& offset);

/// What a softmax shifts logits [Q, n] by before it takes exponentials: their maximum, 0 where no row is left. [Q, 1]
at::Tensor softmax_shift(const at::Tensor& logits);

}  // namespace negatron
