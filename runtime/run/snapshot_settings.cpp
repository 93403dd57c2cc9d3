#include "runtime/run/snapshot_settings.h"

#include <stdexcept>
#include <string>

namespace negatron {
namespace {

constexpr std::int64_t kFewestKept = 2;

}  // namespace

RunInterval parse_snapshot_interval(std::string_view text) {
  using Unit = RunInterval::Unit;
  return parse_interval("--snapshot-every", text, {Unit::kSteps, Unit::kEpochs, Unit::kMinutes, Unit::kNever});
}

void SnapshotSettings::validate() const {
  if (keep < kFewestKept) {
    throw std::invalid_argument("--keep must be at least 2, got " + std::to_string(keep) +
                                ": one snapshot may turn out to be damaged.");
  }
  if (keep_every < 0) throw std::invalid_argument("--keep-every must be at least 0 steps (0 means none).");
}

}  // namespace negatron
