#pragma once

#include <cstdint>

#include "samplers/pass/selection/selection_key.h"

namespace negatron {

/// m uniform draws of slots with replacement from [0, filled) for each query: query_index [Q] int64 -> [Q, m] int64. A
/// function of (order.seed, order.purpose, order.step, query, draw): every rank draws the same, no byte is sent
/// (samplers/exchange/EXCHANGE.md 5). Local.
at::Tensor draw_uniform_slots(const SelectionOrder& order, const at::Tensor& query_index, std::int64_t m,
                              std::int64_t filled);

}  // namespace negatron
