#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace negatron::testing {

/// Whole snapshots and matrices, and what somebody may make of them. Everything lies under one directory. Functions are
/// local and depend on `random` alone.
class HostileSnapshots {
 public:
  using Random = std::mt19937;

  /// Writes what is whole into `directory`: a run with a snapshot over two shards, and matrices to import.
  explicit HostileSnapshots(const std::filesystem::path& directory);

  /// The kinds of mutation, by which a report counts.
  static const std::vector<std::string>& kinds();
  /// Whether a kind is of files for `bank import`, and not of snapshots.
  static bool is_matrix(const std::string& kind);

  /// Makes a copy that is wrong in this way, in `target`, which must not exist. Returns the snapshot, or the matrix.
  std::filesystem::path make(const std::string& kind, const std::filesystem::path& target, Random& random) const;

  const std::filesystem::path& whole() const noexcept { return snapshot_; }

 private:
  std::filesystem::path copy_run(const std::filesystem::path& target) const;

  std::filesystem::path directory_;
  std::filesystem::path snapshot_;
};

}  // namespace negatron::testing
