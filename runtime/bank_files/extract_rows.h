#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// The sequence numbers of all keys with one of these sample ids, ascending. `ids` without those that no key has.
struct FoundKeys {
  std::vector<std::int64_t> sequence;
  /// Ascending.
  std::vector<std::int64_t> missing;
};

/// Reads the ids of the bank once. Local. Throws std::invalid_argument for an id below 0 (no sample has it), and when
/// the keys found do not fit into `memory`; SnapshotError.
FoundKeys find_ids(const OpenBank& bank, std::vector<std::int64_t> ids, BankMemory memory);

/// [range.begin, range.end) as a list. Throws std::invalid_argument when some of them are not in the bank, with those
/// that are; and when the list does not fit into `memory`.
std::vector<std::int64_t> keys_in(const OpenBank& bank, Range range, const BankMemory& memory);

/// Writes these keys (ascending) to a plain HDF5 file: rows [n, d] in the bank's type, ids, labels, steps, sequence [n]
/// int64; attributes width, snapshot_step. It exists whole or not at all. Local. Throws std::invalid_argument when
/// `out` exists or its directory does not, SnapshotError.
void extract_rows(FileLayer& files, const OpenBank& bank, const std::filesystem::path& out,
                  const std::vector<std::int64_t>& sequence, BankMemory memory);

}  // namespace negatron
