#include "runtime/evaluation/alignment_uniformity.h"
#include "runtime/evaluation/knn.h"
#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/thread_ranks.h"

namespace negatron::reference {

Computed metrics_case(const ReferenceCase& reference, int ranks) {
  if (!reference.has("align_alpha")) return {};
  testing::ContrastJob job = bank_job(reference, "info-nce", 1.0);
  job.labels = reference.query_labels;
  job.bank_labels = reference.bank_labels;
  job.report_hardest = reference.params.at("topN_for_false_negatives").get<std::int64_t>();
  const testing::ContrastAnswer answer = run_contrast(job, ranks);
  const std::int64_t queries = job.raw_queries.size(0);
  const at::Tensor same = answer.hardest_labels.eq(reference.query_labels.unsqueeze(1)).to(at::kDouble);

  nlohmann::json values = on_ranks(ranks, [&](Communicator& comm) {
    const at::Tensor unit_queries = own_part(comm, unit_rows(job.raw_queries));
    const at::Tensor train = own_part(comm, job.bank);
    KnnOptions options;
    options.k = reference.params.at("knn_k").get<std::int64_t>();
    options.temperature = reference.number("knn_T");
    options.classes = reference.bank_labels.max().item<std::int64_t>() + 1;
    const KnnResult knn = classify_knn(comm, train, own_part(comm, reference.bank_labels), unit_queries,
                                       own_part(comm, reference.query_labels), options);
    return nlohmann::json{{"alignment", alignment(comm, unit_queries, own_part(comm, unit_rows(job.raw_keys)),
                                                  reference.number("align_alpha"))},
                          {"uniformity", uniformity(comm, train, reference.number("uniform_t"))},
                          {"knn_vote_share_per_class", list_of(gather(comm, knn.votes, queries))},
                          {"knn_prediction", list_of(gather(comm, knn.predictions, queries))}};
  });
  values["proxy_correct"] = list_of(answer.positive > answer.max);
  values["proxy_accuracy"] = static_cast<double>(answer.correct) / static_cast<double>(queries);
  values["false_negative_share_topN"] = list_of(same.mean(1));
  return values;
}

}  // namespace negatron::reference
