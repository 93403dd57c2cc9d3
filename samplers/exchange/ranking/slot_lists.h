#pragma once

#include <vector>

#include "samplers/bank/bank.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// slots [Q, m] int64, below 0 for none -> the row of this shard in each place, [Q, m] int64, -1 for none and where the
/// slot lies on another shard or holds no candidate; the candidates' windows do not matter. Throws
/// std::invalid_argument for a slot of K or more. Local.
at::Tensor candidates_at(const Bank& bank, const Rows& rows, const Candidates& candidates, const at::Tensor& slots);

/// The same without the gaps, in no order: [Q, L], L the most of any query.
at::Tensor listed_candidates(const Bank& bank, const Rows& rows, const Candidates& candidates, const at::Tensor& slots);

/// The pass over listed rows [Q, L] instead of over all: request.bias, the positive rule (its windows only in orders by
/// score) and terms as there; windows do not matter. Local.
PassResult run_over_lists(const Rows& rows, const PassRequest& request, const at::Tensor& lists);

}  // namespace negatron
