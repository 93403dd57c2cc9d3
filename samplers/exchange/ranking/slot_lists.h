#pragma once

#include <vector>

#include "samplers/bank/bank.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// slots [Q, m] int64, below 0 for none -> the rows of this shard among them, [Q, L] int64 with -1 for none, L the most
/// of any query; a slot that is listed twice is there twice. Slots that hold no candidate are left out; the candidates'
/// windows do not matter. Throws std::invalid_argument for a slot of K or more. Local.
at::Tensor listed_candidates(const Bank& bank, const Rows& rows, const Candidates& candidates, const at::Tensor& slots);

/// The pass over listed rows [Q, L] instead of over all: request.bias, the positive rule (its windows only in orders by
/// score) and terms as there; windows do not matter. Local.
PassResult run_over_lists(const Rows& rows, const PassRequest& request, const at::Tensor& lists);

}  // namespace negatron
