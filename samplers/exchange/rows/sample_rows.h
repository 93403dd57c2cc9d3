#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// The rows of a batch's own samples in a memory bank: they come from their owners as the positives of the step, and
/// what the encoder made of the samples goes back to be blended into them (samplers/bank/BANK.md 6).
///
/// Every rank knows the ids of the whole batch, and with them which rank asks which owner for which row: nothing but
/// rows travels.
class SampleRows {
 public:
  /// `ids` [Bg] int64 on the host, each in [0, K): those of the whole batch in its order, alike on every rank. `comm`
  /// are all ranks, which divide the batch by share(); `group` are those that share this rank's copy of the bank.
  /// Everything outlives it. Local. Throws std::invalid_argument for an id that has no row.
  SampleRows(Communicator& comm, Communicator& group, Bank& bank, const at::Tensor& ids);

  /// The rows of own samples [b, w] as the bank stores them, on its device. Collective over the group. Bytes received
  /// per rank, w bytes an element: those rows that lie on other ranks, at most b d w.
  at::Tensor fetch() const;

  /// v <- blended() in every copy of the bank, for features f [b, d] of own samples and m of [0, 1]. Of a sample that
  /// is in the batch twice, the first counts. labels [b] int64 on the host or undefined, alike on all ranks. Collective
  /// over all ranks. Bytes received per rank: at most A (d w + 8), A rows of the batch that this rank owns, w bytes an
  /// element of the features.
  void blend(const at::Tensor& features, const at::Tensor& labels, double momentum, std::int64_t step) const;

 private:
  /// Rows between askers, who have samples, and owners, who have their rows: both ends of one rank.
  struct Route {
    /// Of the asker: positions among own samples, in the order of the owners; an owner of each copy has its own.
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> by_owner;
    /// Of the owner: local rows, in the order of the askers.
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> by_asker;
  };
  /// `sizes` are the samples of each asker, `ids` those of all of them.
  Route make_route(const Communicator& comm, const at::Tensor& ids, const std::vector<std::int64_t>& sizes) const;

  Communicator& comm_;
  Communicator& group_;
  Bank& bank_;
  Route inside_;
  Route everywhere_;
};

/// m v + (1 - m) f, for unit rows over its length, for rows of vectors v [n, d] and features f [n, d], in fp32 or,
/// where f has it, in fp64, as a row. A unit row that comes to nothing becomes f. Local.
at::Tensor blended(const at::Tensor& rows, const at::Tensor& features, double momentum, RowLength length);

}  // namespace negatron
