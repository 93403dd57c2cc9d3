#include "samplers/exchange/bank_exchange.h"

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

}  // namespace negatron
