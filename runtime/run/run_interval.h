#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace negatron {

/// How often a run does something between its steps.
struct RunInterval {
  enum class Unit { kNever, kSteps, kEpochs, kMinutes };
  Unit unit = Unit::kEpochs;
  /// At least 1.
  std::int64_t count = 1;
};

/// "500" or "500steps", "2epochs", "10min", "never" (one step, epoch or minute without the s), of which `units` says
/// what `flag` takes. Throws std::invalid_argument in a sentence that names the flag and what it takes. Local.
RunInterval parse_interval(std::string_view flag, std::string_view text, const std::set<RunInterval::Unit>& units);
/// The shortest text that parse_interval() reads as this interval. Local.
std::string text_of(const RunInterval& interval);

}  // namespace negatron
