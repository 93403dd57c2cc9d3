#pragma once

#include <string>

#include "runtime/snapshots/find_snapshot.h"
#include "runtime/snapshots/trainer_state.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// What the run remembered. Local; the snapshot has been verified. Throws SnapshotError.
TrainerState load_trainer(const Snapshot& snapshot);

/// One text of it, without reading the rest; empty when there is none of that name. Local. Throws SnapshotError.
std::string load_trainer_text(const Snapshot& snapshot, const std::string& name);

struct LoadBankOptions {
  /// Take rows stored as another floating type than the bank's; they are rounded.
  bool convert_dtype = false;
  std::int64_t block_bytes = std::int64_t{8} << 20;
  /// Which bank of the snapshot.
  std::string name = {};
};

/// Options of a bank that load_bank() fills with what is saved. Local.
BankOptions options_of(const SavedBank& saved);

/// Replaces the bank's content by the snapshot's, whatever ranks either is laid out over. Local: each rank reads the
/// rows that it owns. Throws SnapshotError that names both values when the snapshot has no bank of the name, or one of
/// another kind, capacity, width, length of rows, optimizer of rows or (without convert_dtype) type.
void load_bank(const Snapshot& snapshot, Bank& bank, const LoadBankOptions& options);

}  // namespace negatron
