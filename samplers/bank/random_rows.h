#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// [count, width] fp64 on the host: uniformly distributed unit vectors for the slots first_slot, first_slot + 1, ...
/// Each is a function of (seed, slot) only. MoCo starts its queue like this (BANK.md 4). Local.
at::Tensor random_unit_rows(std::uint64_t seed, std::int64_t first_slot, std::int64_t count, std::int64_t width);

}  // namespace negatron
