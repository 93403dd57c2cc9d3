#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Standard normal numbers [b, count, width] fp64 on the host for the queries first, first + 1, ... of the global
/// batch: functions of (seed, step, query, number), the same on any number of ranks. Local.
at::Tensor normal_noise(std::uint64_t seed, std::int64_t step, std::int64_t first, at::IntArrayRef shape);

}  // namespace negatron
