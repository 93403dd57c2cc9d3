#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "comm/share.h"
#include "samplers/pass/listed_pass.h"

namespace negatron {

/// run_listed(), with maxima, for L vectors of each of the queries [Q, d], made block of queries by block of queries,
/// because [Q, L, d] can be gigabytes. `make(block)` gives those of queries [begin, end). Local.
PassResult run_listed_in_blocks(const at::Tensor& queries, const std::vector<ScoreTerm>& terms, std::int64_t length,
                                const std::function<ListedVectors(Range)>& make);

}  // namespace negatron
