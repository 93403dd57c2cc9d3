#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/pass.h"
#include "samplers/pass/score_shares.h"

namespace negatron {

/// Vectors that each query has for itself and meets as it meets rows of the bank, and the gradient of the loss that
/// goes back to them. They never travel: vectors, scores and gradient are where the query is.
class ListedNegatives {
 public:
  /// queries [b, d] and vectors [b, L, d], without gradient, scored in `type`. present [b, L] bool, which of them are
  /// there; positive [b, L] bool, which are further positives, undefined for none. Local.
  ListedNegatives(const at::Tensor& queries, const at::Tensor& vectors, const at::Tensor& present, at::ScalarType type,
                  const at::Tensor& positive = {});

  /// The terms over them, to be merged with those over what was met elsewhere; the maximum is over those that are
  /// there. Local.
  PassResult score(const std::vector<ScoreTerm>& terms) const;
  /// dL/dv [b, L, d] of the loss whose terms over all negatives have `shares` [b] in it, in the type of the scores; 0
  /// for those that are not there. Local.
  at::Tensor gradient(const std::vector<TermShare>& shares) const;
  /// [b] the mean score of each query's, 0 where none is there.
  at::Tensor mean_scores() const;

 private:
  at::Tensor queries_;  // [b, d] in the type of the scores
  at::Tensor vectors_;  // [b, L, d] as well
  at::Tensor scores_;   // [b, L]
  at::Tensor present_;
  at::Tensor positive_;
};

}  // namespace negatron
