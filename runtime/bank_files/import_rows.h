#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "runtime/bank_files/bank_memory.h"
#include "runtime/matrices/matrix_file.h"
#include "runtime/snapshots/manifest.h"

namespace negatron {

struct ImportOptions {
  /// The file is [d, K], as a queue of PyTorch's MoCo is.
  bool transpose = false;
  /// Scale rows to norm 1; else such that have another norm are refused, unless they may have any.
  bool normalize = false;
  /// Rows keep their lengths, for a run whose keys have any (RowLength::kAsMade).
  bool raw = false;
  /// Rows are vectors of any length, for a run that scores by distances (RowLength::kDistance).
  bool distance = false;
  /// How rows are stored; nothing: as in the file.
  std::optional<at::ScalarType> dtype;
  /// K of the bank; more than the file has rows: partly filled. 0: as many.
  std::int64_t rows = 0;
  /// The row that is overwritten first (MoCo's queue_ptr).
  std::int64_t oldest = 0;
  /// The keys per step of the run that the bank is for: what the grid of its rows is laid out for.
  std::int64_t batch = 256;
  std::int64_t ranks = 1;
};

/// Writes the bank `out`, a snapshot of step 0 without a trainer, whose keys have no id, no label and no step (-1), as
/// random rows have. Reads the file once to see that every row is finite and, unless raw or for distances, of norm 1
/// within the rounding of the file's type, and then once for each file of the result. Local. Throws
/// std::invalid_argument for options that do not fit, and for a row that does not with its number in the file (counted
/// from 0); as write_bank otherwise.
Manifest import_rows(FileLayer& files, const MatrixFile& matrix, const std::filesystem::path& out,
                     const ImportOptions& options, BankMemory memory);

}  // namespace negatron
