// Draws by counter-based numbers: the trials of WARP, the lists of DNS, the caches of NSCaching.

#include "samplers/exchange/bank_exchange.h"
#include "samplers/negative_samplers/registry.h"
#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/thread_ranks.h"

namespace negatron::reference {
namespace {

Computed of_job(const testing::ContrastJob& job, int ranks, nlohmann::json more = nlohmann::json::object()) {
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  more["loss_per_query"] = list_of(answer.per_anchor);
  more["loss_mean"] = answer.loss;
  more["grad_q_raw"] = list_of(answer.raw_query_gradient);
  return more;
}

Computed warp(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = bank_job(reference, "margin-ranking", 1.0);
  const std::string margin = "margin=" + text_of(reference.number("margin"));
  job.objective_options = margin + ",rank-weight=" + reference.params.at("rank_weight").get<std::string>();
  if (reference.has("trials")) {
    job.sampler = "warp";
    job.sampler_options = margin + ",trials=" + text_of(reference.params.at("trials").get<std::int64_t>());
  }
  return of_job(job, ranks);
}

Computed dns(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = bank_job(reference, "info-nce", reference.number("tau"));
  job.sampler = "dns";
  job.sampler_options = "n=" + text_of(reference.params.at("lists").get<std::int64_t>()) +
                        ",m=" + text_of(reference.params.at("draws_of_list").get<std::int64_t>());
  return of_job(job, ranks, {{"times_met", list_of(times_met(job, ranks))}});
}

std::unique_ptr<NegativeSampler> caching_sampler(const ReferenceCase& reference) {
  const auto option = [&](const char* key) { return text_of(reference.params.at(key).get<std::int64_t>()); };
  SamplerArguments arguments;
  arguments.options =
      MethodOptions("--sampler nscaching", describe_sampler("nscaching").options,
                    "m=" + option("m") + ",n=" + option("cache") + ",candidates=" + option("cache_candidates") +
                        ",temperature=" + text_of(reference.number("temperature")) +
                        ",update=" + reference.params.at("update").get<std::string>());
  arguments.bank_rows = reference.raw_bank.size(0);
  return make_sampler("nscaching", arguments);
}

Computed caches(const ReferenceCase& reference, int ranks) {
  const at::Tensor ids = at::tensor(reference.params.at("sample_ids").get<std::vector<std::int64_t>>(), at::kLong);
  return on_ranks(ranks, [&](Communicator& comm) -> nlohmann::json {
    const std::int64_t count = reference.raw_bank.size(0);
    Bank bank(
        {count, reference.raw_bank.size(1), at::kDouble, at::kCPU, BankFill::kRandom, 0, count, BankKind::kMemory},
        comm.rank(), comm.size());
    // Every row has a label of its own: a query of that label counts how often it meets the row.
    const at::Tensor rows = own_part(comm, reference.bank());
    bank.replace(at::arange(rows.size(0), at::kLong), rows, own_part(comm, at::arange(count, at::kLong)), 0);
    const std::unique_ptr<NegativeSampler> sampler = caching_sampler(reference);
    QueryBatch batch;
    batch.queries = own_part(comm, unit_rows(reference.raw_queries));
    batch.ids = own_part(comm, ids);
    batch.shares.sizes = share_sizes(ids.size(0), comm.size());
    batch.step = reference.params.at("step").get<std::int64_t>();
    NegativeRequest request = sampler->request(bank, batch);
    request.positive_rule = PositiveRule::kSameLabel;
    ScoreTerm times;
    times.shape = TermShape::kOne;
    times.reduction = Reduction::kSum;
    times.rows = TermRows::kPositives;
    times.want_gradient = false;
    BankExchange exchange;
    std::vector<at::Tensor> met;
    at::Tensor kept;
    for (std::int64_t row = 0; row < count; ++row) {
      batch.labels = at::full_like(batch.ids, row);
      const NegativeResult result = exchange.run(comm, bank, batch, request, {times});
      met.push_back(gather(comm, result.scores.terms.front().value, ids.size(0)));
      kept = result.kept;
    }
    sampler->learn(ids, gather(comm, kept, ids.size(0)));
    return {{"times_met", list_of(at::stack(met, 1))}, {"caches_after", list_of(sampler->lists().to(at::kDouble))}};
  });
}

}  // namespace

Computed draw_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("rank_weight")) return warp(reference, ranks);
  if (reference.has("draws_of_list")) return dns(reference, ranks);
  if (reference.has("cache_candidates")) return caches(reference, ranks);
  return {};
}

}  // namespace negatron::reference
