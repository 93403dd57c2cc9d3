#pragma once

#include <map>

#include <ATen/ATen.h>

#include "runtime/bank_files/open_bank.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {

/// One of the matrices that rows which learn have beside what scores, read by sequence number, whatever number of files
/// it lies in: from each file what was asked for and nothing else, no row kept. A BankReader must have compared the
/// files with the bank (BankReader::check). Local.
class LearnedRows {
 public:
  LearnedRows(const OpenBank& bank, LearnedDataset dataset) : bank_(bank), dataset_(dataset) {}

  /// [m, width] of the keys `sequence`, of which there must be one or more. Throws SnapshotError.
  at::Tensor read(Range sequence);

 private:
  Hdf5Reader& open(int shard);

  const OpenBank& bank_;
  LearnedDataset dataset_;
  std::map<int, Hdf5Reader> files_;
};

}  // namespace negatron
