#include "tests/reference_cases/cases.h"

namespace negatron::reference {
namespace {

Computed ring(const ReferenceCase& reference, int ranks) {
  const bool positive = reference.params.value("positive_in_denominator", true);
  testing::ContrastJob job = bank_job(reference, positive ? "info-nce" : "dcl", reference.number("tau"));
  job.sampler = "ring";
  const bool of_outer = reference.has("inner_fraction_of_outer");
  const double inner =
      of_outer ? reference.number("inner_fraction_of_outer") : reference.number_or("inner_fraction", 0.0);
  job.sampler_options = "outer=" + text_of(reference.number("outer_fraction")) + ",inner=" + text_of(inner) +
                        ",inner-of-outer=" + (of_outer ? "on" : "off");
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  return nlohmann::json{{"ring_slots", ranked_members(job, ranks)},
                        {"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss}};
}

}  // namespace

Computed selection_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("outer_fraction") && reference.has("tau")) return ring(reference, ranks);
  return {};
}

}  // namespace negatron::reference
