#include "tests/reference_cases/cases.h"

namespace negatron::reference {

namespace {

bool named(const ReferenceCase& reference, const char* word) {
  return reference.name.find(word) != std::string::npos;
}

/// "labels" of z = [q..., k...].
void set_view_labels(testing::ContrastJob& job, const nlohmann::json& labels) {
  const at::Tensor all = labels_of(labels);
  job.labels = all.narrow(0, 0, job.raw_queries.size(0)).clone();
  job.key_labels = all.narrow(0, job.raw_queries.size(0), job.raw_queries.size(0)).clone();
}

Computed softmax_over_views(const ReferenceCase& reference, int ranks) {
  const bool decoupled = named(reference, "decoupled") || named(reference, "dcl");
  const testing::ContrastAnswer answer =
      run_contrast(batch_job(reference, decoupled ? "dcl" : "nt-xent", reference.number("tau")), ranks);
  // NT-Xent's row is over the positive too, and the loss is what that leaves of it.
  const at::Tensor row = decoupled ? answer.terms[0] : answer.per_anchor + answer.positive / reference.number("tau");
  return nlohmann::json{{"loss_per_anchor", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"row_lse", list_of(row)},
                        {"grad_z_unit", list_of(at::cat({answer.unit_query_gradient, answer.unit_key_gradient}))}};
}

Computed raw_pairs(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = batch_job(reference, "n-pair", 1.0);
  job.normalise = false;
  const double penalty = reference.number_or("l2", reference.number_or("lambda", 0.0));
  job.objective_options = "l2=" + text_of(penalty);
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  return nlohmann::json{{"loss_per_anchor", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"grad_q_raw", list_of(answer.raw_query_gradient)},
                        {"grad_k_raw", list_of(answer.raw_key_gradient)}};
}

}  // namespace

Computed in_batch_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("tau_plus")) return {};
  if (reference.expects("row_lse") || (reference.expects("loss_per_anchor") && reference.has("tau"))) {
    return softmax_over_views(reference, ranks);
  }
  if (reference.expects("loss_per_anchor")) return raw_pairs(reference, ranks);
  return {};
}

Computed label_case(const ReferenceCase& reference, int ranks) {
  if (reference.expects("triplets")) {
    testing::ContrastJob job = batch_job(reference, "triplet-in-batch", 1.0);
    job.labels = labels_of(reference.params.at("labels"));
    job.objective_options = "margin=" + text_of(reference.number("margin")) +
                            ",fallback=" + reference.params.at("fallback").get<std::string>();
    const testing::ContrastAnswer answer = run_contrast(job, ranks);
    return nlohmann::json{{"triplets", answer.metrics.at("triplets")},
                          {"loss", answer.loss},
                          {"grad_q_raw", list_of(answer.raw_query_gradient)},
                          {"grad_k_raw", list_of(answer.raw_key_gradient)}};
  }
  if (reference.has("T") && reference.has("labels")) {
    testing::ContrastJob job = batch_job(reference, "soft-nn", reference.number("T"));
    set_view_labels(job, reference.params.at("labels"));
    const testing::ContrastAnswer answer = run_contrast(job, ranks);
    return nlohmann::json{{"loss_per_sample", list_of(answer.per_anchor)}, {"loss", answer.loss}};
  }
  if (reference.expects("J_per_positive_pair") && reference.has("alpha")) {
    testing::ContrastJob job = batch_job(reference, "lifted", 1.0);
    job.objective_options =
        "alpha=" + text_of(reference.number("alpha")) + ",negatives=" + (named(reference, "max") ? "max" : "smooth");
    const testing::ContrastAnswer answer = run_contrast(job, ranks);
    return nlohmann::json{{"J_per_positive_pair", list_of(answer.energies.narrow(0, 0, job.raw_queries.size(0)))},
                          {"loss", answer.loss}};
  }
  if (reference.has("base_temperature_factor") && reference.query_labels.defined()) {
    testing::ContrastJob job = bank_job(reference, "supcon", reference.number("tau"));
    job.labels = reference.query_labels;
    job.bank_labels = reference.bank_labels;
    const testing::ContrastAnswer answer = run_contrast(job, ranks);
    const double factor = reference.number("base_temperature_factor");
    const double queries = factor * static_cast<double>(reference.raw_queries.size(0));
    return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor * factor)},
                          {"loss_mean", answer.loss * factor},
                          {"grad_q_unit", list_of(answer.unit_query_gradient * queries)}};
  }
  return {};
}

}  // namespace negatron::reference
