#include "samplers/bank/row_geometry.h"
#include "samplers/bank/row_optimizer.h"
#include "tests/reference_cases/cases.h"

namespace negatron::reference {

Computed row_case(const ReferenceCase& reference, int ranks) {
  if (!reference.has("tau_adversary")) return {};
  testing::ContrastJob job = bank_job(reference, "info-nce", 1.0);
  job.rows_tau = reference.number("tau_adversary");
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  const at::Tensor by_raw = by_raw_rows(answer.row_gradient, reference.raw_bank);
  nlohmann::json computed{{"d_loss_d_raw_bank_row", list_of(by_raw)},
                          {"loss_mean", answer.metrics.at("rows_loss") / static_cast<double>(job.raw_queries.size(0))}};
  if (!reference.has("velocity")) return computed;
  const at::Tensor raw = reference.raw_bank.clone();
  const at::Tensor velocity = matrix_of(reference.params.at("velocity"));
  step_rows({reference.number("lr"), reference.number("momentum"), reference.number("weight_decay")}, raw, velocity,
            by_raw.clone());
  computed["velocity_after"] = list_of(velocity);
  computed["raw_bank_after"] = list_of(raw);
  return computed;
}

}  // namespace negatron::reference
