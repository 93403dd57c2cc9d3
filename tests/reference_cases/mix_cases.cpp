#include <vector>

#include "comm/share.h"
#include "samplers/contrast/differentiable_terms.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/exchange/mixes/mix_rows.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/objectives/exact_softplus.h"
#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/thread_ranks.h"

namespace negatron::reference {
namespace {

/// The mixes that the file fixes, the same for all queries: positions in the hard set, best first, [s] or [s'], and
/// shares.
struct FixedMixes {
  std::int64_t hard = 0;  // N
  at::Tensor first;
  at::Tensor second;
  at::Tensor alpha;
  at::Tensor partner;
  at::Tensor beta;
};

/// A column of a list of mixes, for example every "alpha".
template <typename Number>
at::Tensor column(const nlohmann::json& mixes, const char* key, at::ScalarType type) {
  std::vector<Number> values;
  for (const nlohmann::json& mix : mixes) values.push_back(mix.at(key).get<Number>());
  return at::tensor(values, type);
}

FixedMixes fixed_mixes(const nlohmann::json& hard, const nlohmann::json& pairs, const nlohmann::json& query_mixes) {
  return {hard.get<std::int64_t>(),
          column<std::int64_t>(pairs, "i", at::kLong),
          column<std::int64_t>(pairs, "j", at::kLong),
          column<double>(pairs, "alpha", at::kDouble),
          column<std::int64_t>(query_mixes, "j", at::kLong),
          column<double>(query_mixes, "beta", at::kDouble)};
}

/// Draws are random in a run, so what is fixed here takes the place of the draw between the search for the hard set and
/// the mixing: all else is what training runs. The loss is InfoNCE of each query by itself.
nlohmann::json run_fixed_mixes(const ReferenceCase& reference, const FixedMixes& fixed, bool attached, int ranks) {
  const double tau = reference.number("tau");
  return on_ranks(ranks, [&](Communicator& comm) {
    const Bank bank = bank_of(comm, reference.bank());
    const std::int64_t total = reference.raw_queries.size(0);
    const at::Tensor raw = own_part(comm, reference.raw_queries).clone().requires_grad_();
    const at::Tensor unit = unit_rows(raw);
    unit.retain_grad();
    QueryBatch batch;
    batch.queries = unit.detach();
    batch.shares.sizes = share_sizes(total, comm.size());
    NegativeRequest request;
    request.report_hardest = fixed.hard;
    ScoreTerm term;
    term.scale = 1.0 / tau;
    BankExchange exchange;
    const NegativeResult met = exchange.run(comm, bank, batch, request, {term});

    const at::Tensor slots = slots_of_keys(met.hardest);  // [b, N]
    const FetchedRows fetched = fetch_rows(comm, bank, slots);
    Rows rows;
    rows.vectors = fetched.rows;
    const auto named = [&](const at::Tensor& positions) { return fetched.index.index_select(1, positions); };
    const auto of_each = [&](const at::Tensor& shares) { return shares.expand({slots.size(0), shares.size(0)}); };
    MixRecipe recipe;
    recipe.attached = attached;
    const MixResult mixes = run_mixes(
        recipe, rows,
        {named(fixed.first), named(fixed.second), of_each(fixed.alpha), named(fixed.partner), of_each(fixed.beta)},
        {batch.queries, at::Tensor(), {term}});

    const PassResult scores = merge({term}, met.scores, mixes.scores);
    const at::Tensor log_sum = differentiable_terms(unit, {{term, at::Tensor()}}, scores.terms).front();
    const at::Tensor positive = (unit * own_part(comm, unit_rows(reference.raw_keys))).sum(1);
    const at::Tensor loss = exact_softplus(log_sum - positive / tau);  // [b]
    loss.sum().backward();
    const at::Tensor all = gather(comm, loss.detach(), total);
    return nlohmann::json{{"top_slots", list_of(gather(comm, slots, total))},
                          {"logit_sum", list_of(gather(comm, mixes.score_sum, total) / tau)},
                          {"loss_per_query", list_of(all)},
                          {"loss_mean", list_of(all.mean())},
                          {"grad_q_unit", list_of(gather(comm, unit.grad(), total))},
                          {"grad_q_raw", list_of(gather(comm, raw.grad(), total))}};
  });
}

/// The logit of each mix [Q, s + s']: what the sum of logits is when it is the only one.
nlohmann::json mix_logits(const ReferenceCase& reference, const nlohmann::json& pairs,
                          const nlohmann::json& query_mixes, int ranks) {
  const nlohmann::json none = nlohmann::json::array();
  std::vector<at::Tensor> logits;
  const auto add = [&](const nlohmann::json& pair, const nlohmann::json& query_mix) {
    const FixedMixes only = fixed_mixes(reference.params.at("N"), pair, query_mix);
    const nlohmann::json answer = run_fixed_mixes(reference, only, false, ranks);
    logits.push_back(at::tensor(answer.at("logit_sum").get<std::vector<double>>(), at::kDouble));
  };
  for (const nlohmann::json& pair : pairs) add(nlohmann::json::array({pair}), none);
  for (const nlohmann::json& mix : query_mixes) add(none, nlohmann::json::array({mix}));
  return list_of(at::stack(logits, 1));
}

}  // namespace

Computed mix_case(const ReferenceCase& reference, int ranks) {
  if (!reference.has("N") || !(reference.has("neg_neg") || reference.has("query_neg"))) return {};
  const nlohmann::json pairs = reference.params.value("neg_neg", nlohmann::json::array());
  const nlohmann::json query_mixes = reference.params.value("query_neg", nlohmann::json::array());
  const FixedMixes fixed = fixed_mixes(reference.params.at("N"), pairs, query_mixes);
  nlohmann::json values = run_fixed_mixes(reference, fixed, false, ranks);
  const nlohmann::json attached = run_fixed_mixes(reference, fixed, true, ranks);
  for (const char* key : {"grad_q_unit", "grad_q_raw"}) {
    values[std::string(key) + "_detached"] = values.at(key);
    values[std::string(key) + "_attached"] = attached.at(key);
  }
  values["syn_logits_over_tau"] = mix_logits(reference, pairs, query_mixes, ranks);
  return values;
}

}  // namespace negatron::reference
