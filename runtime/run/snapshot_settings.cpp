#include "runtime/run/snapshot_settings.h"

#include <charconv>
#include <stdexcept>

namespace negatron {
namespace {

constexpr std::int64_t kFewestKept = 2;
/// Clocks count nanoseconds in 64 bits, which hold 150 million minutes; steps are added up.
constexpr std::int64_t kMostMinutes = 100'000'000;
constexpr std::int64_t kLongestInterval = 1'000'000'000'000'000;

}  // namespace

SnapshotInterval parse_snapshot_interval(std::string_view text) {
  using Unit = SnapshotInterval::Unit;
  if (text == "never") return {Unit::kNever, 1};
  SnapshotInterval interval;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), interval.count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  bool known = true;
  if (unit.empty() || unit == "step" || unit == "steps") {
    interval.unit = Unit::kSteps;
  } else if (unit == "epoch" || unit == "epochs") {
    interval.unit = Unit::kEpochs;
  } else if (unit == "min") {
    interval.unit = Unit::kMinutes;
  } else {
    known = false;
  }
  const std::int64_t most = interval.unit == Unit::kMinutes ? kMostMinutes : kLongestInterval;
  if (error != std::errc() || !known || interval.count < 1 || interval.count > most) {
    throw std::invalid_argument("--snapshot-every is '" + std::string(text) +
                                "', expected steps (500), epochs (2epochs), minutes (10min, at most " +
                                std::to_string(kMostMinutes) + "), or never.");
  }
  return interval;
}

std::string text_of(const SnapshotInterval& interval) {
  const std::string count = std::to_string(interval.count);
  switch (interval.unit) {
    case SnapshotInterval::Unit::kSteps:
      return count;
    case SnapshotInterval::Unit::kEpochs:
      return count + (interval.count == 1 ? "epoch" : "epochs");
    case SnapshotInterval::Unit::kMinutes:
      return count + "min";
    case SnapshotInterval::Unit::kNever:
      break;
  }
  return "never";
}

void SnapshotSettings::validate() const {
  if (keep < kFewestKept) {
    throw std::invalid_argument("--keep must be at least 2, got " + std::to_string(keep) +
                                ": one snapshot may turn out to be damaged.");
  }
  if (keep_every < 0) throw std::invalid_argument("--keep-every must be at least 0 steps (0 means none).");
}

}  // namespace negatron
