#pragma once

#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/rows/met_rows.h"
#include "samplers/pass/score_shares.h"

namespace negatron {

enum class GradientRows {
  kAll,
  /// Where queries met only rows that were listed, those that any of them met; else all.
  kMet
};

/// The gradient of a loss of all ranks by this rank's rows, as they score, in the dtype of the shares:
///
///     dL/dn_j = sum over queries i that met row j, sum over terms t:   dL/dt_i  p_i(s)  g'(s)  q_i,     s = q_i . n_j
///
/// It is computed where the rows lie. The queries are there already, and of each query three numbers a term travel
/// (score_shares.h), never a gradient of a row: bytes received per rank (Q - b) 3 T w, where a replicated bank would
/// all-reduce K d w. `met` is what BankStage kept, `shares` [b] are of own queries, of terms over all candidates. Mixes
/// and vectors that a sampler made are constants for the rows. Collective over the ranks that share the bank. Throws
/// std::invalid_argument for a term over further positives.
GradientOfRows row_gradient(Communicator& group, const Bank& bank, const MetRows& met,
                            const std::vector<TermShare>& shares, GradientRows wanted = GradientRows::kAll);

}  // namespace negatron
