#include "samplers/exchange/bank_exchange.h"

#include "samplers/bank/random_rows.h"
#include "samplers/exchange/agreed_least.h"

namespace negatron {

BankStage BankExchange::begin(Communicator& group, const Bank& bank, const QueryBatch& batch,
                              const NegativeRequest& request, const std::vector<ScoreTerm>& terms) {
  BankStage stage(*this, group, bank, batch, request, terms);
  stage.send();
  return stage;
}

NegativeResult BankExchange::run(Communicator& group, const Bank& bank, const QueryBatch& batch,
                                 const NegativeRequest& request, const std::vector<ScoreTerm>& terms) {
  return begin(group, bank, batch, request, terms).finish();
}

void BankExchange::choose_pass(Communicator& comm, const Bank& bank, std::int64_t queries, double scale) {
  Rows rows = bank.shard().rows;
  // By what all ranks have alike: an empty shard takes part.
  if (!rows.vectors.is_cuda()) return;
  // A bank that fills up has its holes for a while, and not at the speed that counts.
  rows.validity = at::Tensor();
  PassRequest request;
  request.candidates.queries =
      random_unit_rows(/*seed=*/0, 0, queries, bank.width()).to(at::kFloat).to(rows.vectors.device());
  request.want_max = request.may_skip_max = true;
  std::vector<double> times;
  for (int terms = 1; terms <= kMostScanTerms; ++terms) {
    request.terms.emplace_back().scale = scale;
    const GpuPassTimes own = pass_.trial_times(rows, request);
    times.insert(times.end(), own.begin(), own.end());
  }
  const std::vector<std::size_t> least = agreed_least(comm, times, kMostScanTerms, rows.vectors.device());
  for (int terms = 1; terms <= kMostScanTerms; ++terms) {
    pass_.prefer(static_cast<GpuPass>(least[static_cast<std::size_t>(terms - 1)]), terms);
  }
  has_chosen_ = true;
}

}  // namespace negatron
