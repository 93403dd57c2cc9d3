#pragma once

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// The whole bank as a d x d matrix, for losses that are quadratic in the scores and so need no sampling
/// (samplers/exchange/EXCHANGE.md 6): G = sum_j w_j n_j n_j^T over all valid rows of all ranks.

/// Collective. row_weights [n] of this rank's rows; undefined for 1. -> [d, d] fp64, the same on every rank. Bytes
/// received per rank: 8 d^2 in an all-reduce.
at::Tensor weighted_gram(Communicator& comm, const Bank& bank, const at::Tensor& row_weights);

/// sum_j w_j (q . n_j)^2 = q^T G q: queries [b, d], gram [d, d] -> [b] in the dtype of the queries, with gradient
/// 2 G q. Local.
at::Tensor gram_energy(const at::Tensor& queries, const at::Tensor& gram);

}  // namespace negatron
