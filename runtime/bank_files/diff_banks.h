#pragma once

#include <cstdint>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// How two banks differ. Rows are the same when id, step and every bit of the vector are; a row that is there twice
/// counts twice. rows_a == common + changed + only_a, and so for b.
struct BankDiff {
  std::int64_t rows_a = 0;
  std::int64_t rows_b = 0;
  std::int64_t common = 0;
  /// Rows with an id whose id and step are in both, with another vector.
  std::int64_t changed = 0;
  std::int64_t only_a = 0;
  std::int64_t only_b = 0;
  /// The same rows from the oldest to the newest.
  bool same_order = false;
  /// The same labels in that order.
  bool same_labels = false;

  bool equal() const { return changed == 0 && only_a == 0 && only_b == 0 && same_order && same_labels; }
};

/// Compares two banks, whatever numbers of files they lie in. Rows of another width, type or length (unit, raw) are
/// never the same. Reads each bank once for as many of its rows as fit into `memory` as digests (24 bytes each). Local.
/// Throws SnapshotError, and std::invalid_argument when `memory` is too small for a few rows.
BankDiff diff_banks(const OpenBank& a, const OpenBank& b, BankMemory memory);

}  // namespace negatron
