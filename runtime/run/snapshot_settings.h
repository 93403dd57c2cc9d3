#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/run/run_interval.h"

namespace negatron {

/// parse_interval() of --snapshot-every, which takes all units. Local.
RunInterval parse_snapshot_interval(std::string_view text);

/// When a run is saved and what is kept. Decides nothing about what it computes.
struct SnapshotSettings {
  /// With kNever only SIGUSR1 or SIGUSR2 makes one.
  RunInterval every;
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
