#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace negatron {

/// How often a run is saved.
struct SnapshotInterval {
  enum class Unit { kNever, kSteps, kEpochs, kMinutes };
  Unit unit = Unit::kEpochs;
  /// At least 1.
  std::int64_t count = 1;
};

/// "500" or "500steps", "2epochs", "10min", "never" (one step, epoch or minute without the s). Throws
/// std::invalid_argument in a sentence that names --snapshot-every.
SnapshotInterval parse_snapshot_interval(std::string_view text);

/// When a run is saved and what is kept. Decides nothing about what it computes.
struct SnapshotSettings {
  /// As parse_snapshot_interval; with "never" only SIGUSR1 makes one.
  std::string every = "1epoch";
  /// The newest so many stay, at least 2: one may turn out to be damaged.
  std::int64_t keep = 2;
  /// Snapshots of steps that are multiples of this stay for ever; 0 for none.
  std::int64_t keep_every = 0;
  /// After the snapshot that SIGUSR1 asks for: "exit", to be started again, or "continue".
  std::string on_usr1 = "exit";

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

}  // namespace negatron
