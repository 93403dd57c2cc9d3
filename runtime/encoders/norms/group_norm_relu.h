#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// relu(group_norm(maps)) with epsilon 1e-5, differentiable once in maps, weight and bias. maps [b, C, h, w] in any
/// dtype, device and memory format -> the same; weight, bias [C]. Sums are fp32 for maps in bf16. Local.
///
/// On a CPU, maps in bf16 or fp32 whose channels lie last are swept by one function forward and one backward: torch's
/// group norm takes many times longer over that order in bf16, which is the one that convolutions like, and norm and
/// ReLU apart write and read the maps twice as often. Anything else is torch's.
at::Tensor group_norm_relu(const at::Tensor& maps, std::int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias);

}  // namespace negatron
