// Rows that belong to samples: a memory bank's update, samples that were mined, draws by how often samples were
// counted.

#include "samplers/exchange/rows/sample_rows.h"
#include "samplers/negative_samplers/registry.h"
#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/thread_ranks.h"

namespace negatron::reference {
namespace {

Computed mined(const ReferenceCase& reference, int ranks) {
  testing::ContrastJob job = bank_job(reference, "info-nce", reference.number("tau"));
  const auto lists = reference.params.at("mined_rows").get<std::vector<std::vector<std::int64_t>>>();
  std::vector<at::Tensor> of_queries;
  for (const auto& list : lists) of_queries.push_back(reference.raw_bank.index_select(0, at::tensor(list, at::kLong)));
  job.raw_mined = at::stack(of_queries);
  job.sampler = "ance";
  job.train_keys = true;
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"grad_q_raw", list_of(answer.raw_query_gradient)},
                        {"grad_k_raw", list_of(answer.raw_key_gradient)},
                        {"grad_mined_raw", list_of(answer.raw_mined_gradient)}};
}

Computed memory(const ReferenceCase& reference, int ranks) {
  const at::Tensor ids = at::tensor(reference.params.at("sample_ids").get<std::vector<std::int64_t>>(), at::kLong);
  const double momentum = reference.number("bank_momentum");
  const bool is_raw = reference.has("raw");
  return on_ranks(ranks, [&](Communicator& comm) -> nlohmann::json {
    const std::int64_t count = reference.raw_bank.size(0);
    Bank bank({count, reference.raw_bank.size(1), at::kDouble, at::kCPU, BankFill::kRandom, 0, count, BankKind::kMemory,
               is_raw ? RowLength::kAsMade : RowLength::kUnit},
              comm.rank(), comm.size());
    const at::Tensor own = own_part(comm, is_raw ? reference.raw_bank : reference.bank());
    bank.replace(at::arange(own.size(0), at::kLong), own, {}, 0);
    const SampleRows rows(comm, comm, bank, ids);
    const at::Tensor queries = is_raw ? reference.raw_queries : unit_rows(reference.raw_queries);
    rows.blend(own_part(comm, queries), {}, momentum, 1);
    return {{"bank_after", list_of(gather(comm, bank.shard().rows.vectors, count))}};
  });
}

/// [K] what a sampler by counts draws each sample with.
nlohmann::json probabilities(const at::Tensor& counts, const std::string& options) {
  SamplerArguments arguments;
  arguments.options =
      MethodOptions("--sampler popularity", describe_sampler("popularity").options, "m=1,stand-for-bank=on," + options);
  arguments.sample_counts = counts;
  const std::int64_t count = counts.size(0);
  const Bank bank({count, 2, at::kDouble, at::kCPU, BankFill::kRandom, 0, count, BankKind::kMemory}, 0, 1);
  QueryBatch batch;
  batch.queries = at::zeros({0, 2}, at::kDouble);
  batch.shares.sizes = {0};
  // One draw stands for 1 / p rows.
  const at::Tensor drawn = make_sampler("popularity", arguments)->request(bank, batch).row_log_weights.neg().exp();
  return list_of(drawn.masked_fill(counts == 0, 0.0));
}

Computed draws(const ReferenceCase& reference) {
  const at::Tensor counts = at::tensor(reference.params.at("counts").get<std::vector<std::int64_t>>(), at::kLong);
  // The last place of a law by rank is drawn, too, whatever its count.
  nlohmann::json by_rank = probabilities(counts + 1, "law=rank,lambda=" + text_of(reference.number("lambda")));
  return nlohmann::json{{"p_power", probabilities(counts, "power=" + text_of(reference.number("power")))},
                        {"p_rank", std::move(by_rank)}};
}

}  // namespace

Computed sample_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("mined_rows")) return mined(reference, ranks);
  if (reference.has("sample_ids")) return memory(reference, ranks);
  if (reference.has("counts")) return draws(reference);
  return {};
}

}  // namespace negatron::reference
