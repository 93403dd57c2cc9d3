#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "runtime/snapshots/hdf5/hdf5_layout.h"
#include "runtime/snapshots/hdf5/matrix_dataset.h"
#include "samplers/bank/bank_copy.h"

namespace negatron {

/// Gives the next rows of a shard, in ring order: BankCopy::next, or those of a file.
using BankBlockSource = std::function<BankBlock(std::int64_t rows)>;

/// Turns blocks of rows into the bytes of the datasets rows [n, d], ids, labels, steps, sequence [n] int64. The vectors
/// come first in the file, so each block is taken once; its numbers are kept until their datasets' turn. Local.
class BlockDatasets {
 public:
  BlockDatasets(BankBlockSource next, std::int64_t rows, std::int64_t rows_per_block);
  BlockDatasets(const BlockDatasets&) = delete;
  BlockDatasets& operator=(const BlockDatasets&) = delete;

  /// This object must live until the plan's file is written.
  void add_to(Hdf5Layout& plan, at::ScalarType dtype, std::int64_t width);

 private:
  ByteSource column(at::Tensor BlockDatasets::*which);
  /// The vectors of the next block, whose numbers are kept.
  at::Tensor take_block(std::int64_t rows);

  BankBlockSource next_;
  std::int64_t rows_;
  std::int64_t done_ = 0;
  MatrixDataset vectors_;
  at::Tensor ids_;
  at::Tensor labels_;
  at::Tensor steps_;
  at::Tensor sequence_;
};

}  // namespace negatron
