#pragma once

#include <cstdint>
#include <limits>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// How far apart the rows of two banks are that are the same key: those of equal id and step, the n-th of them in A
/// beside the n-th in B, counted from the oldest. Rows without an id, random or imported, are told by their order
/// alone.
struct RowAgreement {
  std::int64_t pairs = 0;
  /// Each row of either bank has its pair, and pairs come in the same order.
  bool all_in_order = false;
  /// Over all pairs; NaN without any, and where a row holds one.
  double largest_difference = std::numeric_limits<double>::quiet_NaN();
  double smallest_cosine = std::numeric_limits<double>::quiet_NaN();
  /// Why nothing was compared, in a sentence; empty where something was.
  std::string why_not;
};

/// Compares in fp64, whatever types the banks have. Reads both once where they are in the same order; else A twice, and
/// of B what has a pair, with 32 bytes in memory for each row of B. Local. Throws SnapshotError.
RowAgreement compare_rows(const OpenBank& a, const OpenBank& b, BankMemory memory);

}  // namespace negatron
