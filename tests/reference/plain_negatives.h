#pragma once

#include "samplers/exchange/bank_exchange.h"

namespace negatron::testing {

/// The whole bank on one device.
struct PlainBank {
  Rows rows;               // without leaves; every row may score
  at::Tensor ids;          // [n] int64
  at::Tensor steps;        // [n] int64
  at::Tensor batch_sizes;  // [n] int64, of the global batch that the row came in
  at::Tensor offsets;      // [n] int64, its position there
};

/// The twin of BankExchange::run: all queries and the whole bank in one process, query after query, by definition: full
/// sorts, explicit draws, explicit mixes, dense terms in fp64. Tensors of the request are for all queries and all rows
/// of the bank. Self-adversarial terms are to be given as softmax means; mixes are detached.
NegativeResult plain_negatives(const PlainBank& bank, const QueryBatch& batch, const NegativeRequest& request,
                               const std::vector<ScoreTerm>& terms);

}  // namespace negatron::testing
