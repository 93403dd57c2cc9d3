#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_result.h"

namespace negatron {

/// A look at the hard sets of a few queries. Collective over the bank's group. `negatives.hardest` [b, N] was reported;
/// each rank looks at its first kReportedQueries queries. Sums over this rank, to be divided by "queries" of all ranks:
///   queries            how many were looked at
///   hard_score_first   score of the hardest row, and of the N-th
///   hard_score_last
///   hard_age           mean age of the N rows in steps (rows of the start not counted)
///   hard_turnover      share of the N rows that entered the bank since `last_look`
///   hard_same_label    share of the N rows with the query's label (with labels, and rows that can have some)
///   hard_bin_LOW       rows with scores in [LOW, LOW + 0.1), LOW = 0.0 ... 0.9
/// labels [b] int64 or undefined. Bytes received: those of fetch_rows, with labels only.
std::map<std::string, at::Tensor> report_hard_sets(Communicator& group, const Bank& bank,
                                                   const NegativeResult& negatives, const at::Tensor& labels,
                                                   std::int64_t step, std::int64_t last_look);

inline constexpr std::int64_t kReportedQueries = 8;

}  // namespace negatron
