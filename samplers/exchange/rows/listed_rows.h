#pragma once

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/rows/row_fetch.h"

namespace negatron {

/// Rows of the bank that own queries name by slot: they are fetched, are leaves of autograd, and what backward leaves
/// in them goes back to their owners (contrast/GRADIENT.md 12). One of the two doors by which gradient reaches rows; by
/// the other, rows that nobody named get theirs from three numbers of each query (row_gradient.h).
class ListedRows {
 public:
  /// slots [b, U] int64 of valid rows, on the bank's device; rows come in `type`. Collective over the ranks that share
  /// the bank, which outlives this. Bytes received per rank: those of fetch_rows().
  ListedRows(Communicator& group, const Bank& bank, const at::Tensor& slots, at::ScalarType type);

  /// [b, U, d] the rows as they score; with gradient, which arrives in them.
  const at::Tensor& vectors() const { return vectors_; }

  /// What arrived, by this rank's rows, of all ranks that named them: summed over what one rank named in the order of
  /// its queries, then over the ranks in theirs. Collective. Bytes received per rank: A d w, for A rows that others
  /// named, each rank's distinct ones, and w bytes of an element of `type`.
  GradientOfRows gradient() const;

 private:
  Communicator& group_;
  RowRoute route_;
  at::Tensor leaf_;     // [D, d]
  at::Tensor vectors_;  // [b, U, d]
};

}  // namespace negatron
