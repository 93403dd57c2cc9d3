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
/// std::invalid_argument in a sentence that names --snapshot-every. Local.
SnapshotInterval parse_snapshot_interval(std::string_view text);
/// The shortest text that parse_snapshot_interval() reads as this interval. Local.
std::string text_of(const SnapshotInterval& interval);

/// When a run is saved and what is kept. Decides nothing about what it computes.
struct SnapshotSettings {
  /// With kNever only SIGUSR1 or SIGUSR2 makes one.
  SnapshotInterval every;
  /// The newest so many stay, at least 2: one may turn out to be damaged.
  std::int64_t keep = 2;
  /// Snapshots of steps that are multiples of this stay for ever; 0 for none.
  std::int64_t keep_every = 0;
  /// After the snapshot that SIGUSR1 or SIGUSR2 asks for: leaves, to be started again, or goes on.
  bool leaves_on_usr1 = true;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

}  // namespace negatron
