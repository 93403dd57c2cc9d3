#pragma once

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Rows that were asked for by slot, each distinct one once.
struct FetchedRows {
  at::Tensor rows;    // [D, d] as stored
  at::Tensor labels;  // [D] int64
  at::Tensor index;   // [b, U] int64, which row each slot came to; -1 for slots below 0
};

/// Collective. slots [b, U] int64 of valid rows, or below 0 for none, on the bank's device or on the host. Bytes
/// received per rank, D distinct rows asked of other ranks and A rows that others ask of this one, w bytes an element
/// of the bank: D (d w + 8) + 8 A + 8 (P - 1). Throws std::invalid_argument for a slot that no key was written to.
FetchedRows fetch_rows(Communicator& comm, const Bank& bank, const at::Tensor& slots);

}  // namespace negatron
