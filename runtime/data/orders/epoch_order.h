#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/random/philox.h"

namespace negatron {

/// A permutation of [0, count) as [count] int64, by Fisher and Yates. Local.
at::Tensor random_permutation(std::int64_t count, CounterRng random);

/// The order in which an epoch visits `count` samples: drawn from (seed, epoch) alone and so the same on every rank.
at::Tensor epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

}  // namespace negatron
