#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "samplers/bank/bank.h"

namespace negatron::testing {

/// A run of which there is a snapshot.
struct HostileRun {
  BankKind kind;
  /// What snapshots call its banks.
  std::vector<std::string> banks = {""};

  /// "memory", "two memory"
  std::string name() const;
};
/// One of each kind of bank, and one that has two.
const std::vector<HostileRun>& hostile_runs();

/// Whole snapshots and matrices, and what somebody may make of them. Everything lies under one directory. Functions are
/// local and depend on `random` alone.
class HostileSnapshots {
 public:
  using Random = std::mt19937;

  /// Writes what is whole into `directory`: for each run a snapshot over two shards, and matrices to import.
  explicit HostileSnapshots(const std::filesystem::path& directory);

  /// The kinds of mutation, by which a report counts.
  static const std::vector<std::string>& kinds();
  /// Whether a kind is of files for `bank import`, and not of snapshots.
  static bool is_matrix(const std::string& kind);

  /// Makes a copy that is wrong in this way, in `target`, which must not exist, of that run.
  /// Returns the snapshot, or the matrix.
  std::filesystem::path make(const std::string& kind, const HostileRun& run, const std::filesystem::path& target,
                             Random& random) const;

  /// The snapshot of that run.
  std::filesystem::path whole(const HostileRun& run) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace negatron::testing
