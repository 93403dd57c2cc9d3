#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "samplers/bank/bank.h"

namespace negatron::testing {

/// Those of which there is a run.
inline constexpr BankKind kBankKinds[] = {BankKind::kQueue, BankKind::kMemory, BankKind::kLearned, BankKind::kIndex,
                                          BankKind::kParametric};

/// Whole snapshots and matrices, and what somebody may make of them. Everything lies under one directory. Functions are
/// local and depend on `random` alone.
class HostileSnapshots {
 public:
  using Random = std::mt19937;

  /// Writes what is whole into `directory`: for each kind of bank a run with a snapshot over two shards, and matrices
  /// to import.
  explicit HostileSnapshots(const std::filesystem::path& directory);

  /// The kinds of mutation, by which a report counts.
  static const std::vector<std::string>& kinds();
  /// Whether a kind is of files for `bank import`, and not of snapshots.
  static bool is_matrix(const std::string& kind);

  /// Makes a copy that is wrong in this way, in `target`, which must not exist, of the run with that kind of bank.
  /// Returns the snapshot, or the matrix.
  std::filesystem::path make(const std::string& kind, BankKind bank, const std::filesystem::path& target,
                             Random& random) const;

  /// The snapshot of the run with that kind of bank.
  std::filesystem::path whole(BankKind bank) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace negatron::testing
