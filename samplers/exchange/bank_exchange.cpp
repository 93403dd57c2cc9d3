#include "samplers/exchange/bank_exchange.h"

#include <optional>

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
    // A rank without rows has nothing to time, and nothing against either.
    const bool is_empty = rows.vectors.size(0) == 0;
    const GpuPassTimes own = is_empty ? GpuPassTimes{0.0, 0.0} : pass_.trial_times(rows, request);
    times.insert(times.end(), own.begin(), own.end());
  }
  const auto least = agreed_least(comm, times, kMostScanTerms, rows.vectors.device());
  for (int terms = 1; terms <= kMostScanTerms; ++terms) {
    const std::optional<std::size_t>& chosen = least[static_cast<std::size_t>(terms - 1)];
    if (chosen) choose(static_cast<GpuPass>(*chosen), terms);
  }
}

void BankExchange::choose(GpuPass pass, int terms) {
  pass_.prefer(pass, terms);
  has_chosen_[static_cast<std::size_t>(terms - 1)] = true;
}

}  // namespace negatron
