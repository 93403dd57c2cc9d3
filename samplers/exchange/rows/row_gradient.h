#pragma once

#include "comm/communicator.h"
#include "samplers/bank/rows.h"
#include "samplers/exchange/query_batch.h"

namespace negatron {

/// What the owner of trainable bank rows needs of own queries.
struct RowGradientQueries {
  at::Tensor queries;          // [b, d]
  at::Tensor log_denominator;  // [b] log-sum-exp over the positive and the whole bank, at `scale`
  QueryShares shares;
};

/// Collective. The gradient of the InfoNCE of all Bg queries, averaged, with respect to this rank's raw rows w_j =
/// lengths_j n_j (AdCo, samplers/exchange/EXCHANGE.md 6): scale / (Bg |w_j|) sum_i p_ij (q_i - s_ij n_j), [n, d] in the
/// dtype of the queries, 0 for rows that do not score. It never leaves its owner. lengths [n].
///
/// Bytes received per rank, w bytes an element: (Bg - b) (d + 1) w.
at::Tensor row_gradient(Communicator& comm, const Rows& rows, const at::Tensor& lengths, const RowGradientQueries& own,
                        double scale);

}  // namespace negatron
