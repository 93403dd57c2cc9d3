#include <numeric>

#include "samplers/objectives/rank_weight.h"
#include "tests/reference_cases/cases.h"

namespace negatron::reference {
namespace {

/// Hinges, means and counts of the triplet loss for one kind of distance.
void add_triplets(nlohmann::json& values, const ReferenceCase& reference, const std::string& distance, double margin,
                  int ranks) {
  const std::string key = distance == "l2" ? "l2" : "squared";
  testing::ContrastJob job = bank_job(reference, "triplet", 1.0);
  const std::string options = "distance=" + distance + ",margin=" + text_of(margin);
  job.objective_options = options + ",reduction=all";
  values["hinge_" + key] = list_of(pair_values(job, ranks));
  values["mean_all_" + key] = run_contrast(job, ranks).loss;
  job.objective_options = options + ",reduction=active";
  const testing::ContrastAnswer active = run_contrast(job, ranks);
  values["mean_nonzero_" + key] = active.loss;
  values["count_nonzero_" + key] = active.terms[1].sum().item<double>();
}

/// The one member of each query, -1 where it has none.
nlohmann::json first_members(const testing::ContrastJob& job, int ranks) {
  nlohmann::json first = nlohmann::json::array();
  for (const nlohmann::json& slots : ranked_members(job, ranks))
    first.push_back(slots.empty() ? -1 : slots[0].get<int>());
  return first;
}

Computed triplets(const ReferenceCase& reference, int ranks) {
  nlohmann::json values;
  add_triplets(values, reference, "squared", reference.number("squared_margin"), ranks);
  if (reference.has("l2_margin")) add_triplets(values, reference, "l2", reference.number("l2_margin"), ranks);
  testing::ContrastJob job = bank_job(reference, "info-nce", 1.0);
  job.sampler = "semi-hard";
  job.sampler_options = "margin=" + text_of(reference.number("squared_margin"));
  values["hardest_semi_hard_index"] = first_members(job, ranks);
  job.adjust = [](NegativeRequest& request, const QueryBatch&) { request.sets[0].draws = 0; };
  // The file lists sets in slot order.
  nlohmann::json sets = ranked_members(job, ranks);
  for (nlohmann::json& slots : sets) std::sort(slots.begin(), slots.end());
  values["semi_hard_sets_squared"] = sets;
  job.adjust = nullptr;
  job.sampler = "top-n";
  job.sampler_options = "n=1";
  values["hardest_index"] = first_members(job, ranks);
  return values;
}

Computed margin_pairs(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = bank_job(reference, "contrastive", 1.0);
  job.objective_options = "margin=" + text_of(reference.number("m"));
  const at::Tensor negatives = pair_values(job, ranks);
  job.adjust = [](NegativeRequest& request, const QueryBatch&) { request.sets.clear(); };
  return nlohmann::json{{"pos", list_of(run_contrast(job, ranks).per_anchor)}, {"neg", list_of(negatives)}};
}

Computed rank_weights(const ReferenceCase& reference, int ranks) {
  nlohmann::json values;
  const at::Tensor asked = at::tensor(reference.params.at("harmonic_ranks").get<std::vector<double>>(), at::kDouble);
  values["L_harmonic"] = list_of(harmonic_rank_weight(asked));
  if (reference.has("violation_margin")) {
    testing::ContrastJob job = bank_job(reference, "margin-ranking", 1.0);
    job.objective_options = "reduction=active,margin=" + text_of(reference.number("violation_margin"));
    values["exact_violator_count"] = list_of(run_contrast(job, ranks).terms[1]);
  }
  return values;
}

void make_raw(testing::ContrastJob& job, const ReferenceCase& reference) {
  job.normalise = false;
  job.bank = reference.raw_bank;
}

}  // namespace

Computed margin_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("squared_margin")) return triplets(reference, ranks);
  if (reference.has("m") && (reference.expects("pos") || reference.expects("neg")))
    return margin_pairs(reference, ranks);
  if (reference.has("harmonic_ranks")) return rank_weights(reference, ranks);
  return {};
}

Computed logistic_case(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job;
  if (reference.has("t") && reference.has("b")) {
    job = bank_job(reference, "siglip", 1.0);
    job.objective_options = "t=" + text_of(reference.number("t")) + ",bias=" + text_of(reference.number("b"));
  } else if (reference.has("num_items") && reference.has("tau")) {
    job = bank_job(reference, "nce", reference.number("tau"));
    job.objective_options = "log-z-value=" + text_of(reference.number_or("log_Z", 0.0)) +
                            ",noise-count=" + text_of(reference.params.at("k").get<std::int64_t>()) +
                            ",items=" + text_of(reference.params.at("num_items").get<std::int64_t>());
    if (reference.has("raw")) make_raw(job, reference);
  } else if (reference.has("l2") && reference.expects("loss_per_query")) {
    job = bank_job(reference, "n-pair", 1.0);
    job.objective_options = "l2=" + text_of(reference.number("l2"));
    make_raw(job, reference);
  } else if (reference.has("k") && !reference.has("tau") && reference.expects("loss_per_query")) {
    job = bank_job(reference, "neg", 1.0);
    make_raw(job, reference);
  } else {
    return {};
  }
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  const auto queries = static_cast<double>(reference.raw_queries.size(0));
  return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"grad_q_unit", list_of(answer.unit_query_gradient * queries)},
                        {"grad_q_raw", list_of(answer.raw_query_gradient * queries)}};
}

}  // namespace negatron::reference
