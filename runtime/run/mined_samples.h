#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// What is mined, and of which random numbers draws are made.
struct MinedDraw {
  Mining mining;
  std::uint64_t seed = 0;
  std::int64_t step = 0;
};

/// What is mined for every sample in a bank whose rows have samples: of its mining.nearest nearest, or all others where
/// there are fewer, mining.drawn at random and in random order, each once. [K, mining.drawn] int64 on the host, the
/// same on every rank and any number of ranks: draws depend on (seed, step, sample). The bank has more than
/// mining.drawn rows. Collective over `group`, the ranks that share the bank; `pause` as of nearest_samples(). Bytes
/// received per rank beside those of nearest_samples(): (K - K / P) mining.drawn 8.
at::Tensor mined_samples(Communicator& group, const Bank& bank, BankExchange& exchange, const MinedDraw& draw,
                         const std::function<void()>& pause = {});

}  // namespace negatron
