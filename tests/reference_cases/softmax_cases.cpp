#include <cmath>

#include "samplers/bank/bank.h"
#include "samplers/pass/blocked_pass.h"
#include "tests/reference_cases/cases.h"

namespace negatron::reference {
namespace {

/// The terms over one part of the bank, as the rank that owns it computes them.
PassResult score_part(const ReferenceCase& reference, const at::Tensor& rows, const std::vector<double>& scales) {
  Bank bank({rows.size(0), rows.size(1), at::kDouble, at::kCPU, BankFill::kEmpty, 0, rows.size(0)}, 0, 1);
  bank.enqueue(rows, at::full({rows.size(0)}, -1, at::kLong), at::Tensor(), 0, rows.size(0));
  PassRequest request;
  request.candidates.queries = unit_rows(reference.raw_queries);
  for (const double scale : scales) {
    ScoreTerm term;
    term.scale = scale;
    request.terms.push_back(term);
  }
  return BlockedPass().run(bank.shard().rows, request);
}

}  // namespace

Computed softmax_case(const ReferenceCase& reference, int ranks) {
  if (reference.expects("s_pos") || reference.expects("s_neg")) {
    const testing::ContrastJob job = bank_job(reference, "info-nce", 1.0);
    return nlohmann::json{{"s_pos", list_of(run_contrast(job, ranks).positive)},
                          {"s_neg", list_of(pair_values(job, ranks))}};
  }
  const bool recognised = reference.expects("lse_neg") || reference.expects("p_pos") || reference.expects("attn_out");
  if (!recognised || !reference.has("tau")) return {};
  const double tau = reference.number("tau");
  const testing::ContrastAnswer answer = run_contrast(bank_job(reference, "info-nce", tau), ranks);
  // The file's gradients are of each query's own loss, a job's of the mean.
  const auto queries = static_cast<double>(reference.raw_queries.size(0));
  return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"lse_neg", list_of(answer.terms[0])},
                        {"p_pos", list_of((-answer.per_anchor).exp())},
                        {"attn_out", list_of(answer.first_term_gradient * tau)},
                        {"grad_q_unit", list_of(answer.unit_query_gradient * queries)},
                        {"grad_q_raw", list_of(answer.raw_query_gradient * queries)}};
}

Computed shard_case(const ReferenceCase& reference, int) {
  if (!reference.has("P") || !reference.has("tau")) return {};
  const auto parts = reference.params.at("P").get<std::int64_t>();
  const double tau = reference.number("tau");
  const double beta = reference.number_or("beta", 0.0);
  const std::vector<double> scales = {(1.0 + beta) / tau, beta / tau};
  const at::Tensor bank = reference.bank();
  const std::int64_t rows = bank.size(0);
  std::vector<std::vector<at::Tensor>> values(scales.size());
  std::vector<std::vector<at::Tensor>> means(scales.size());
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = part * rows / parts;
    const PassResult result = score_part(reference, bank.narrow(0, begin, (part + 1) * rows / parts - begin), scales);
    for (std::size_t i = 0; i < scales.size(); ++i) {
      values[i].push_back(result.terms[i].value);
      means[i].push_back(result.terms[i].gradient / scales[i]);
    }
  }
  const auto per_rank = [](const std::vector<at::Tensor>& of_parts) { return list_of(at::stack(of_parts, 1)); };
  if (beta == 0.0) {
    return nlohmann::json{{"lse_per_rank", per_rank(values[0])}, {"attn_out_per_rank", per_rank(means[0])}};
  }
  return nlohmann::json{{"lse_1pb_per_rank", per_rank(values[0])},
                        {"lse_b_per_rank", per_rank(values[1])},
                        {"out_1pb_per_rank", per_rank(means[0])},
                        {"out_b_per_rank", per_rank(means[1])}};
}

Computed estimator_case(const ReferenceCase& reference, int ranks) {
  if (!reference.has("tau_plus") || !reference.has("beta")) return {};
  const bool in_batch = reference.expects("loss_per_anchor");
  const double beta = reference.number("beta");
  const auto answer_with = [&](const std::string& objective, const std::string& more) {
    testing::ContrastJob job = in_batch ? batch_job(reference, objective, reference.number("tau"))
                                        : bank_job(reference, objective, reference.number("tau"));
    job.objective_options = "tau-plus=" + text_of(reference.number("tau_plus")) + more;
    return run_contrast(job, ranks);
  };
  const std::string concentration = ",beta=" + text_of(beta);
  const testing::ContrastAnswer answer =
      beta == 0.0 ? answer_with("debiased", "") : answer_with("hcl", concentration + ",weights=attached");
  const testing::ContrastAnswer detached = answer_with("hcl", concentration + ",weights=detached");
  const auto queries = static_cast<double>(reference.raw_queries.size(0));
  return nlohmann::json{{"loss_per_query", list_of(answer.per_anchor)},
                        {"loss_per_anchor", list_of(answer.per_anchor)},
                        {"loss_mean", answer.loss},
                        {"clamped", list_of(answer.clamped)},
                        {"lse_1pb", list_of(answer.terms[0])},
                        {"lse_b", list_of(answer.terms[1])},
                        {"log_G", list_of(answer.log_mass)},
                        {"grad_q_unit_weights_attached", list_of(answer.unit_query_gradient * queries)},
                        {"grad_q_unit_weights_detached", list_of(detached.unit_query_gradient * queries)}};
}

}  // namespace negatron::reference
