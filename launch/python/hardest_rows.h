#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron::python {

/// The N best rows of the whole bank for each of b queries, best first, on the queries' device. Where the bank has
/// fewer rows the score is -infinity, and slot and id are -1.
struct HardestRows {
  at::Tensor scores;  // [b, N] fp32
  at::Tensor slots;   // [b, N] int64
  at::Tensor ids;     // [b, N] int64, -1 for a row that no sample wrote
};

/// Exact, ties to the lower slot, and the same on any number of ranks (samplers/exchange/EXCHANGE.md 2). `queries` [b,
/// d] fp32 or fp64, of which every rank has `sizes`. Collective. Bytes received per rank: those of HardSetSearch, and
/// for the ids 8 N (Bg - b) and an all-reduce of 8 N Bg.
HardestRows hardest_rows(Communicator& comm, const Bank& bank, BankExchange& exchange, const at::Tensor& queries,
                         const std::vector<std::int64_t>& sizes, std::int64_t count);

}  // namespace negatron::python
