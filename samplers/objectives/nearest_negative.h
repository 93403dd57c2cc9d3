#pragma once

#include "samplers/pass/score_term.h"

namespace negatron {

/// The mean by a softmax this sharp is the maximum: rows that it tells apart differ by less than 1e-8.
inline constexpr double kNearestOnly = 1e9;

/// Makes of a term its summand at the nearest negative alone, a mean over those that tie. Unlike the maximum that a
/// pass reports, it comes with a gradient; over no row it is 0. Local.
inline ScoreTerm of_nearest(ScoreTerm term) {
  term.reduction = Reduction::kSoftmaxMean;
  term.weight_scale = kNearestOnly;
  return term;
}

}  // namespace negatron
