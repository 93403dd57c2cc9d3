#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Which rank asked which for what, so that something of each row can go back the way the row came.
struct RowRoute {
  at::Tensor order;                       // [D] the distinct rows, those of rank 0 first
  std::vector<std::int64_t> asked;        // of each rank, D in all
  at::Tensor wanted;                      // [A] int64 own rows, those that rank 0 asked for first
  std::vector<std::int64_t> asked_of_us;  // by each rank, A in all
};

/// Rows that were asked for by slot, each distinct one once.
struct FetchedRows {
  at::Tensor rows;    // [D, d] as stored
  at::Tensor labels;  // [D] int64
  at::Tensor index;   // [b, U] int64, which row each slot came to; -1 for slots below 0
  RowRoute route;
};

/// Collective. slots [b, U] int64 of valid rows, or below 0 for none, on the bank's device. Bytes received per rank, D
/// distinct rows asked of other ranks and A rows that others ask of this one, w bytes an element of the bank: D (d w +
/// 8) + 8 A + 8 (P - 1).
FetchedRows fetch_rows(Communicator& comm, const Bank& bank, const at::Tensor& slots);

}  // namespace negatron
