#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "comm/share.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron {

/// Some of this rank's rows, and what was found for them.
using TakeNearest = std::function<void(const Range& rows, const at::Tensor& nearest)>;

/// For each of this rank's rows of a bank whose rows have samples the `nearest` rows of other samples in the whole
/// bank, best first: `take` gets them block by block, [m, nearest] int64 samples on the host, -1 where the bank has
/// fewer. Exact, and the same on any number of ranks: every row is a query of BankExchange (SelectionOrder, by score),
/// whose search is left as it was. `pause` is called before each block, as often on every rank, and may be collective;
/// may be empty.
///
/// Collective over `group`, the ranks that share the bank. Bytes received per rank: those of HardSetSearch for each
/// block, and for rows of d elements w bytes wide in the type of queries (K - K / P) (d w + e), e = 12 in fp32 and 24
/// in fp64 of what a stage without rows returns.
void nearest_samples(Communicator& group, const Bank& bank, BankExchange& exchange, std::int64_t nearest,
                     const TakeNearest& take, const std::function<void()>& pause = {});

}  // namespace negatron
