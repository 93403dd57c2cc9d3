#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

/// A row by its bank (an index into a list of banks) and its sequence number there.
struct RowPlace {
  std::size_t bank = 0;
  std::int64_t sequence = 0;
};

struct DuplicateOptions {
  /// As what the vectors are compared: a conversion may make rows the same.
  at::ScalarType dtype = at::kFloat;
  /// Rows without an id are compared too.
  bool without_id = true;
};

/// Calls `found` for every row that is the same (id, step, vector) as another one of these banks: with the first of the
/// equal rows, in the banks' order and then by sequence number, and with the later one. Reads each bank once for as
/// many rows as fit into `memory` as digests (24 bytes each). Local. Throws SnapshotError.
void find_duplicates(const std::vector<OpenBank>& banks, const DuplicateOptions& options, BankMemory memory,
                     const std::function<void(const RowPlace& first, const RowPlace& again)>& found);

}  // namespace negatron
