#pragma once

#include "runtime/snapshots/find_snapshot.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Refuses a snapshot whose bank is not that of a run: `bank` says what this has, null for none. Rows of another
/// floating type do with `convert` only. Local. Throws SnapshotError, naming both values and the flag.
void require_bank(const Snapshot& snapshot, const BankOptions* bank, bool convert);
/// Of a run that goes on: its rows, where they learn, go on by the optimizer whose moments the snapshot has. A run that
/// begins with the bank of another begins at rest, and any optimizer will do. Local. Throws SnapshotError.
void require_row_optimizer(const Snapshot& snapshot, const BankOptions* bank);

}  // namespace negatron
