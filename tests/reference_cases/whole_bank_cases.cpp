#include <ATen/Parallel.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/evaluation/alignment_uniformity.h"
#include "runtime/evaluation/knn.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/rows/gram.h"
#include "samplers/exchange/rows/row_gradient.h"
#include "samplers/negative_samplers/popularity.h"
#include "tests/reference_cases/cases.h"

namespace negatron::reference {
namespace {

/// This rank's part of something that is split over ranks in order.
at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size()).contiguous();
}

at::Tensor gather(Communicator& comm, const at::Tensor& own, std::int64_t total) {
  return comm.all_gather(own.contiguous(), share_sizes(total, comm.size()));
}

Bank bank_of(const Communicator& comm, const at::Tensor& rows) {
  const std::int64_t count = rows.size(0);
  Bank bank({count, rows.size(1), at::kDouble, at::kCPU, BankFill::kEmpty, 0, count}, comm.rank(), comm.size());
  bank.enqueue(own_part(comm, rows), own_part(comm, at::full({count}, -1, at::kLong)), at::Tensor(), 0, count);
  return bank;
}

/// Runs `body` on thread ranks and returns what rank 0 computed.
nlohmann::json on_ranks(int ranks, const std::function<nlohmann::json(Communicator&)>& body) {
  nlohmann::json values;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const nlohmann::json own = body(comm);
    if (comm.rank() == 0) values = own;
  });
  return values;
}

Computed trainable_rows(const ReferenceCase& reference, int ranks) {
  const double tau = reference.number("tau_adversary");
  const testing::ContrastAnswer answer = run_contrast(bank_job(reference, "info-nce", tau), ranks);
  const at::Tensor log_denominator = at::logaddexp(answer.terms[0], answer.positive / tau);
  return on_ranks(ranks, [&](Communicator& comm) {
    const Bank bank = bank_of(comm, reference.bank());
    const std::int64_t queries = reference.raw_queries.size(0);
    const RowGradientQueries own{own_part(comm, unit_rows(reference.raw_queries)),
                                 own_part(comm, log_denominator),
                                 {share_sizes(queries, comm.size()), 0}};
    // One batch of keys filled the bank, so its rows are in the order of slots.
    const at::Tensor lengths = own_part(comm, reference.raw_bank.norm(2, {1}));
    const at::Tensor gradient = row_gradient(comm, bank.shard().rows, lengths, own, 1.0 / tau);
    return nlohmann::json{{"d_loss_d_raw_bank_row", list_of(gather(comm, gradient, reference.raw_bank.size(0)))}};
  });
}

Computed quadratic(const ReferenceCase& reference, int ranks) {
  const double weight = reference.number("weight");
  return on_ranks(ranks, [&](Communicator& comm) {
    const Bank bank = bank_of(comm, reference.bank());
    const at::Tensor weights = at::full({bank.shard().rows.vectors.size(0)}, weight, at::kDouble);
    const at::Tensor gram = weighted_gram(comm, bank, weights);
    const at::Tensor queries = unit_rows(reference.raw_queries);
    const at::Tensor energy = gather(comm, gram_energy(own_part(comm, queries), gram), queries.size(0));
    return nlohmann::json{{"gram", list_of(gram)}, {"sum_w_s2", list_of(energy)}};
  });
}

/// The key of an expected value that starts so; the file writes the exponent into it.
std::string key_with(const ReferenceCase& reference, const std::string& prefix) {
  for (const auto& [key, value] : reference.expected.items()) {
    if (key.rfind(prefix, 0) == 0) return key;
  }
  return prefix;
}

Computed popularity(const ReferenceCase& reference) {
  const at::Tensor counts = at::tensor(reference.params.at("counts").get<std::vector<double>>(), at::kDouble);
  nlohmann::json values;
  if (reference.has("exponent")) {
    values[key_with(reference, "p_unigram")] = list_of(unigram_probabilities(counts, reference.number("exponent")));
  }
  if (reference.has("pns_rank_lambda")) {
    const at::Tensor by_slot = popularity_rank_probabilities(counts, reference.number("pns_rank_lambda"));
    values[key_with(reference, "p_pns")] = list_of(std::get<0>(by_slot.sort(0, true)));
  }
  return values;
}

}  // namespace

Computed whole_bank_case(const ReferenceCase& reference, int ranks) {
  if (reference.has("tau_adversary")) return trainable_rows(reference, ranks);
  if (reference.has("counts")) return popularity(reference);
  if (reference.has("weight") && (reference.expects("gram") || reference.expects("sum_w_s2"))) {
    return quadratic(reference, ranks);
  }
  return {};
}

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
