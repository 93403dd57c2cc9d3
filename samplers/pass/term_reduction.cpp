#include "samplers/pass/term_reduction.h"

#include <limits>

namespace negatron {
namespace {

/// exp(logit + bias), 0 for what is left out, in proportion to exp(shift): what rows count in a softmax.
struct Masses {
  at::Tensor weight;  // [Q, n]
  at::Tensor shift;   // [Q, 1]
  at::Tensor total;   // [Q, 1]
  at::Tensor log_total() const { return (shift + total.log()).squeeze(1); }
};

Masses softmax_masses(at::Tensor logits, const ScoredRows& rows) {
  if (rows.bias.defined()) logits = logits + rows.bias;
  if (rows.left_out.defined()) logits = logits.masked_fill(rows.left_out, kMasked);
  const at::Tensor shift = softmax_shift(logits);
  const at::Tensor weight = (logits - shift).exp_();
  return {weight, shift, weight.sum(1, true)};
}

/// exp(bias), 0 for what is left out. Weights are masked, not summands: those are finite, a masked one might not be.
at::Tensor row_weights(const ScoredRows& rows) {
  at::Tensor weights = at::ones_like(rows.scores);
  if (rows.bias.defined()) weights.mul_(rows.bias.exp());
  if (rows.left_out.defined()) weights.masked_fill_(rows.left_out, 0.0);
  return weights;
}

}  // namespace

at::Tensor softmax_shift(const at::Tensor& logits) {
  if (logits.size(1) == 0) return at::zeros({logits.size(0), 1}, logits.options());
  const at::Tensor peak = logits.amax(1, true);
  // Shifting by -infinity would give NaN.
  return peak.masked_fill(peak == kMasked, 0.0);
}

ReducedTerm reduce_term(const ScoreTerm& term, const ScoredRows& rows, const at::Tensor& offset) {
  const Summands g = summands(term, rows.scores, offset);
  ReducedTerm reduced;
  at::Tensor weights;  // [Q, n] by which derivatives of the summands add up to those of the value
  if (term.reduction == Reduction::kSum) {
    weights = row_weights(rows);
    reduced.value = (weights * g.value).sum(1);
  } else {
    const bool log_sum_exp = term.reduction == Reduction::kLogSumExp;
    // A log-sum-exp weighs rows by their summands, a softmax mean by their scores at a scale of its own, as constants.
    const Masses masses = softmax_masses(log_sum_exp ? g.value : rows.scores * term.weight_scale, rows);
    // Over no row all weights are 0 and stay so; 0 / 0 would be NaN in the gradient of a query that met nothing.
    weights = masses.weight / masses.total.masked_fill(masses.total == 0.0, 1.0);
    if (log_sum_exp) {
      reduced.value = masses.log_total();
    } else {
      reduced.value = (weights * g.value).sum(1);
      reduced.log_weight = masses.log_total();
    }
  }
  if (term.want_gradient) reduced.coefficient = weights * g.by_score;
  if (term.want_slope) reduced.slope = (weights * g.by_offset).sum(1);
  return reduced;
}

}  // namespace negatron
