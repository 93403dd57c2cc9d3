#pragma once

#include <cstdint>

#include "samplers/pass/candidate_keys.h"

namespace negatron {

/// [Q, width] int64: the keys of each query, kAfterAllKeys behind them. `width` is at least the largest count. Local.
at::Tensor padded_keys(const RaggedKeys& keys, std::int64_t width);

}  // namespace negatron
