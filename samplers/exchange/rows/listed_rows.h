#pragma once

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/rows/row_route.h"

namespace negatron {

/// Rows of the bank that queries name by slot: they are fetched, are leaves of autograd, and what backward leaves
/// in them goes back to their owners (contrast/GRADIENT.md 12). One of the two doors by which gradient reaches rows; by
/// the other, rows that nobody named get theirs from three numbers of each query (row_gradient.h).
class ListedRows {
 public:
  /// slots [Q, U] int64 on the host: what the queries of all ranks name, of rank 0 first, alike on every rank, valid
  /// rows each; `queries` [P] are how many each rank has. Rows come in `type`. Collective over the ranks that share the
  /// bank, which outlives this. Nothing but rows travels: bytes received per rank D d w, D distinct rows that lie on
  /// other ranks and w bytes an element of the bank. Throws std::invalid_argument for a slot without a row.
  ListedRows(Communicator& group, const Bank& bank, const at::Tensor& slots, at::IntArrayRef queries,
             at::ScalarType type);

  /// [b, U, d] the rows that own queries named, as they score: a leaf of autograd.
  const at::Tensor& vectors() const { return vectors_; }

  /// What arrived, by this rank's rows, of all ranks that named them: what another rank named is summed there in the
  /// order of its queries, and the owner adds those sums and its own queries' entries in the order of the ranks.
  /// Collective. Bytes received per rank: A d w, for A rows that others named, each rank's distinct ones, and w bytes
  /// of an element of `type`.
  GradientOfRows gradient() const;

 private:
  Communicator& group_;
  RowRoute route_;
  at::Tensor vectors_;  // [b, U, d]
};

}  // namespace negatron
