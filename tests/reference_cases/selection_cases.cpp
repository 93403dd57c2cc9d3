#include "samplers/exchange/mixes/mix_recipe.h"
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

/// A column of a list of mixes, for example every "alpha".
template <typename Number>
at::Tensor column(const nlohmann::json& mixes, const char* key, at::ScalarType type) {
  std::vector<Number> values;
  for (const nlohmann::json& mix : mixes) values.push_back(mix.at(key).get<Number>());
  return at::tensor(values, type);
}

MixRecipe recipe_of(const nlohmann::json& hard, const nlohmann::json& pairs, const nlohmann::json& query_mixes) {
  MixRecipe recipe;
  recipe.hard = hard.get<std::int64_t>();
  recipe.pairs = static_cast<std::int64_t>(pairs.size());
  recipe.query_mixes = static_cast<std::int64_t>(query_mixes.size());
  recipe.first = column<std::int64_t>(pairs, "i", at::kLong);
  recipe.second = column<std::int64_t>(pairs, "j", at::kLong);
  recipe.alpha = column<double>(pairs, "alpha", at::kDouble);
  recipe.query_partner = column<std::int64_t>(query_mixes, "j", at::kLong);
  recipe.beta = column<double>(query_mixes, "beta", at::kDouble);
  return recipe;
}

testing::ContrastAnswer run_mixes(const ReferenceCase& reference, const MixRecipe& recipe, int ranks) {
  testing::ContrastJob job = bank_job(reference, "info-nce", reference.number("tau"));
  job.adjust = [recipe](NegativeRequest& request, const QueryBatch&) { request.mixes = recipe; };
  return run_contrast(job, ranks);
}

/// The logit of each mix: what the sum of scores is when it is the only one.
nlohmann::json mix_logits(const ReferenceCase& reference, const nlohmann::json& pairs,
                          const nlohmann::json& query_mixes, int ranks) {
  const nlohmann::json none = nlohmann::json::array();
  std::vector<at::Tensor> logits;
  const auto add = [&](const MixRecipe& recipe) {
    logits.push_back(run_mixes(reference, recipe, ranks).mix_score_sum / reference.number("tau"));
  };
  for (const nlohmann::json& pair : pairs)
    add(recipe_of(reference.params.at("N"), nlohmann::json::array({pair}), none));
  for (const nlohmann::json& mix : query_mixes)
    add(recipe_of(reference.params.at("N"), none, nlohmann::json::array({mix})));
  return list_of(at::stack(logits, 1));
}

Computed mixes(const ReferenceCase& reference, int ranks) {
  const nlohmann::json pairs = reference.params.value("neg_neg", nlohmann::json::array());
  const nlohmann::json query_mixes = reference.params.value("query_neg", nlohmann::json::array());
  MixRecipe recipe = recipe_of(reference.params.at("N"), pairs, query_mixes);
  const testing::ContrastAnswer answer = run_mixes(reference, recipe, ranks);
  recipe.attached = true;
  const testing::ContrastAnswer attached = run_mixes(reference, recipe, ranks);
  const auto queries = static_cast<double>(reference.raw_queries.size(0));
  return nlohmann::json{{"top_slots", list_of(answer.hardest_slots)},
                        {"syn_logits_over_tau", mix_logits(reference, pairs, query_mixes, ranks)},
                        {"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"grad_q_unit_detached", list_of(answer.unit_query_gradient * queries)},
                        {"grad_q_raw_detached", list_of(answer.raw_query_gradient * queries)},
                        {"grad_q_unit_attached", list_of(attached.unit_query_gradient * queries)},
                        {"grad_q_raw_attached", list_of(attached.raw_query_gradient * queries)}};
}

}  // namespace

Computed selection_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("outer_fraction") && reference.has("tau")) return ring(reference, ranks);
  if (reference.has("N") && (reference.has("neg_neg") || reference.has("query_neg"))) return mixes(reference, ranks);
  return {};
}

}  // namespace negatron::reference
