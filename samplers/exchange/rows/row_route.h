#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/row_sums.h"

namespace negatron {

/// Which rank asked which for what, so that rows can come and something of each can go back the way it came. A rank
/// asks no other for what it owns itself. Counts and numbers lie on the host.
///
/// What a rank named are places: those asked of others first, in the order of the ranks, then distinct own rows.
struct RowRoute {
  std::vector<std::int64_t> asked;        // [P] of each rank, D in all, none of this one
  std::vector<std::int64_t> asked_of_us;  // [P] by each rank, A in all, none by this one
  std::vector<std::int64_t> wanted;       // [A] own rows, those that rank 0 asked for first
  std::vector<std::int64_t> own;          // [E] own rows that this rank named, each once
  std::vector<std::int64_t> index;        // [n] the place of each entry, below D + E; -1 for slots below 0
  RowTerms namings;                       // of each of the D: the entries that name it, ascending

  std::int64_t asked_of_others() const { return namings.size(); }
};

/// The route to the rows of `slots` [n] int64 on the host, of valid rows or below 0 for none, of which other ranks know
/// nothing. Collective. Bytes received per rank: 8 A for the rows that others ask of this one, and 8 (P - 1) for how
/// many. Throws std::invalid_argument for a slot that no key was written to.
RowRoute asked_row_route(Communicator& comm, const Bank& bank, const at::Tensor& slots);

/// The same route where every rank knows what all have named: `slots` [N] int64 on the host are those of rank 0, then
/// of rank 1, and so on, `counts` [P] of each, alike on every rank. Nothing travels. Local. Throws
/// std::invalid_argument for a slot that no key was written to.
RowRoute known_row_route(const Bank& bank, const at::Tensor& slots, at::IntArrayRef counts);

/// Values [D, ...] of rows that were asked for, from `values` [A, ...] of rows that others asked for. Started.
/// Collective.
Work start_to_askers(Communicator& comm, const RowRoute& route, const at::Tensor& values);

/// The other way: values [A, ...] from `values` [D, ...]. Collective.
at::Tensor to_owners(Communicator& comm, const RowRoute& route, const at::Tensor& values);

}  // namespace negatron
