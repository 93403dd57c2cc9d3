#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "runtime/bank_files/bank_memory.h"
#include "runtime/bank_files/open_bank.h"
#include "runtime/snapshots/files/new_path.h"

namespace negatron {

/// Rows of a matrix [m, width] of the keys with these sequence numbers, asked in ascending order for each shard.
using NewMatrix = std::function<at::Tensor(Range sequence)>;

/// Gives the keys with these sequence numbers of the new bank, all of one batch, without what rows that learn have
/// beside what scores. Asked in ascending order for each shard.
using NewRows = std::function<BankBlock(Range sequence)>;

/// A bank that is made from files and not by a run.
struct NewBank {
  SavedBank bank;
  /// The training step that it stands for; 0 without training.
  std::int64_t step = 0;
  /// Its trainer.h5 is kept, so that a run can go on from the result; null: a bank alone.
  const OpenBank* trainer_of = nullptr;
  /// What write_banks() asks for its rows.
  NewRows rows = {};
  /// Of rows that learn; empty for others.
  NewMatrix raw = {};
  NewMatrix moments = {};

  std::int64_t row_bytes() const;
};

/// Throws as check_new_path(), and when `out` is named like the snapshot of another step. For operations that read much
/// before they write.
void check_new_snapshot(const FileLayer& files, const std::filesystem::path& out, std::int64_t step);
/// Counts what writing takes in memory for as long as it lasts: 32 bytes for each row of the largest shard. Throws as
/// BankMemory::reserve.
void reserve_for_writing(const SavedBank& bank, BankMemory& memory);

/// Writes the snapshot `out`, in blocks of `block_rows`, as a run's snapshots are written: into a new directory beside
/// it ("OUT.partial-..."), each file synced and read back, the manifest last; then the name. Whatever fails, nothing
/// is left and `out` does not exist. Local. Throws as check_new_snapshot, what `read` throws, and SnapshotError.
Manifest write_bank(FileLayer& files, const std::filesystem::path& out, const NewBank& bank, const NewRows& read,
                    std::int64_t block_rows);

/// The same of several banks, each with its name and its rows, of one step; the first one says whose trainer.h5 is
/// kept.
Manifest write_banks(FileLayer& files, const std::filesystem::path& out, const std::vector<NewBank>& banks,
                     std::int64_t block_rows);

/// What a row takes in memory while it is written, beside what `read` takes for it: the block being collected, the
/// block being written.
inline std::int64_t bytes_while_writing(std::int64_t row_bytes) {
  return 3 * row_bytes + 2 * kNumberBytesPerRow;
}

}  // namespace negatron
