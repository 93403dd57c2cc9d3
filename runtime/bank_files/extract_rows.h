#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// What keys are looked for by.
enum class KeyColumn { kId, kLabel };

/// The sequence numbers of all keys with one of these sample ids or labels, ascending; and those that no key has.
struct FoundKeys {
  std::vector<std::int64_t> sequence;
  /// Ascending.
  std::vector<std::int64_t> missing;
};

/// Reads the ids, or the labels, of the bank once. Local. Throws std::invalid_argument for a number below 0 (no sample
/// has it), and when the keys found do not fit into `memory`; SnapshotError.
FoundKeys find_keys(const OpenBank& bank, KeyColumn column, std::vector<std::int64_t> numbers, BankMemory memory);

/// [range.begin, range.end) as a list. Throws std::invalid_argument when some of them are not in the bank, with those
/// that are; and when the list does not fit into `memory`.
std::vector<std::int64_t> keys_in(const OpenBank& bank, Range range, const BankMemory& memory);

/// The files that extract_rows() writes: `out`, and of OUT.npy also OUT.ids.npy, OUT.labels.npy, OUT.steps.npy and
/// OUT.sequence.npy. Local.
std::vector<std::filesystem::path> extracted_files(const std::filesystem::path& out);

/// Writes these keys (ascending) to a plain HDF5 file: rows [n, d] in the bank's type, of a bank of distances their
/// vectors, and ids, labels, steps, sequence [n] int64; attributes width (d), snapshot_step. Where `out` ends in .npy
/// each of them is a file of its own, rows of bf16 as fp32. `out` exists whole or not at all. Local. Throws
/// std::invalid_argument when one of the files exists or their directory does not, SnapshotError.
void extract_rows(FileLayer& files, const OpenBank& bank, const std::filesystem::path& out,
                  const std::vector<std::int64_t>& sequence, BankMemory memory);

}  // namespace negatron
