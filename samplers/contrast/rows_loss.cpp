#include "samplers/contrast/rows_loss.h"

#include <ATen/core/grad_mode.h>

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ScoreTerm rows_term(double tau) {
  ScoreTerm term;
  term.scale = 1.0 / tau;
  term.want_gradient = false;
  return term;
}

void add_rows_loss(Communicator& group, const Bank& bank, const Anchors& anchors, const ContrastBatch& batch,
                   const TermResult& met, ContrastOutput& output) {
  const at::NoGradGuard no_grad;
  const ScoreTerm term = rows_term(batch.rows_tau);
  const at::Tensor gap = met.value - anchors.positive * term.scale;
  const at::Tensor by_term = gap.sigmoid() / static_cast<double>(anchors.global_count);
  output.row_gradient = row_gradient(group, bank, output.negatives.met, {{term, by_term, met}}, wanted_rows(batch));
  output.metrics["rows_loss"] = exact_softplus(gap).sum();
  // The queries of all ranks are not needed any more.
  output.negatives.met = {};
}

GradientRows wanted_rows(const ContrastBatch& batch) {
  return batch.only_met_rows ? GradientRows::kMet : GradientRows::kAll;
}

}  // namespace negatron
