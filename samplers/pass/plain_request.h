#pragma once

#include "samplers/pass/pass.h"

namespace negatron {

/// Logits beyond 2^23 are not what kernels are made for; scores of unit rows stay below with this scale.
inline constexpr double kLargestKernelScale = 1e6;

/// Whether a request is what kernels are made for: plain terms (score_term.h) of such scales, best rows, or both, over
/// all rows but those excluded, without label rules, windows and positives. Local.
bool is_plain_request(const PassRequest& request);

}  // namespace negatron
