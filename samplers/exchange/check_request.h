#pragma once

#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// Throws std::invalid_argument, with one sentence, when the batch does not fit its shares, the bank is not laid out
/// over the ranks of `comm`, or the request cannot be answered from this bank. Local.
void check_request(const Communicator& comm, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                   const std::vector<ScoreTerm>& terms);

}  // namespace negatron
