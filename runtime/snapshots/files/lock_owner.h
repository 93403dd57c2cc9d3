#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/snapshots/files/process_identity.h"

namespace negatron {

/// What Slurm says of a start; empty without it.
struct SlurmStart {
  std::string job_id;
  std::string step_id;
  /// How often Slurm has begun this job again. It does so only when the start before is over.
  std::int64_t restarts = 0;

  bool operator==(const SlurmStart&) const = default;
};

/// Who holds a run directory: what the file RUN/lock says.
struct LockOwner {
  ProcessIdentity process;
  SlurmStart slurm;
  /// For people.
  std::string since;
  /// No other start has it.
  std::string token;
  /// Whether the kernel locked the file for this owner, on the device that it saw it on.
  bool kernel_lock = false;
  std::int64_t device = 0;
  /// An owner that has not counted `renewals` up for so long is dead.
  double lease_seconds = 0.0;
  std::int64_t renewals = 0;

  bool operator==(const LockOwner&) const = default;
};

/// This process.
LockOwner this_owner(const SlurmStart& slurm);

/// JSON, in a length that does not change with `renewals`: it is written over the text before.
std::string text_of(const LockOwner& owner);
/// Nothing for any other text. That of versions before leases has no `process.boot`.
std::optional<LockOwner> parse_owner(std::string_view text);

/// "process 17 on host a, job 5, since 2026-01-02 03:04:05"
std::string describe(const LockOwner& owner);

}  // namespace negatron
