#pragma once

#include <string>
#include <vector>

#include "runtime/snapshots/find_snapshot.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// The banks of a run, which differ in nothing but their names (bank_names() of view_banks.h); none of a run without.
struct WantedBanks {
  std::vector<std::string> names;
  BankOptions options;
};

/// Refuses a snapshot whose banks are not those of a run. Rows of another floating type do with `convert` only. Local.
/// Throws SnapshotError, naming both values and the flag.
void require_banks(const Snapshot& snapshot, const WantedBanks& wanted, bool convert);
/// Of a run that goes on: its rows, where they learn, go on by the optimizer whose moments the snapshot has. A run that
/// begins with the bank of another begins at rest, and any optimizer will do. Local. Throws SnapshotError.
void require_row_optimizer(const Snapshot& snapshot, const WantedBanks& wanted);

}  // namespace negatron
