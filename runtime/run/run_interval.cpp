#include "runtime/run/run_interval.h"

#include <charconv>
#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

using Unit = RunInterval::Unit;

/// Clocks count nanoseconds in 64 bits, which hold 150 million minutes; steps are added up.
constexpr std::int64_t kMostMinutes = 100'000'000;
constexpr std::int64_t kMostSteps = 1'000'000'000'000'000;
/// Multiplied by the steps of one.
constexpr std::int64_t kMostEpochs = 1'000'000'000;

/// "steps (500), epochs (2epochs), or never"
std::string what_is_taken(const std::set<Unit>& units) {
  std::vector<std::string> parts;
  if (units.contains(Unit::kSteps)) parts.emplace_back("steps (500)");
  if (units.contains(Unit::kEpochs)) parts.emplace_back("epochs (2epochs)");
  if (units.contains(Unit::kMinutes)) {
    parts.push_back("minutes (10min, at most " + std::to_string(kMostMinutes) + ")");
  }
  if (units.contains(Unit::kNever)) parts.emplace_back("never");
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 < parts.size() ? ", " : ", or ";
    text += parts[i];
  }
  return text;
}

}  // namespace

RunInterval parse_interval(std::string_view flag, std::string_view text, const std::set<Unit>& units) {
  const auto refuse = [&] {
    throw std::invalid_argument(std::string(flag) + " is '" + std::string(text) + "', expected " +
                                what_is_taken(units) + ".");
  };
  if (text == "never") {
    if (!units.contains(Unit::kNever)) refuse();
    return {Unit::kNever, 1};
  }
  RunInterval interval;
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
  const std::int64_t most = interval.unit == Unit::kMinutes  ? kMostMinutes
                            : interval.unit == Unit::kEpochs ? kMostEpochs
                                                             : kMostSteps;
  const bool is_number = error == std::errc() && interval.count >= 1 && interval.count <= most;
  if (!is_number || !known || !units.contains(interval.unit)) refuse();
  return interval;
}

std::string text_of(const RunInterval& interval) {
  const std::string count = std::to_string(interval.count);
  switch (interval.unit) {
    case Unit::kSteps:
      return count;
    case Unit::kEpochs:
      return count + (interval.count == 1 ? "epoch" : "epochs");
    case Unit::kMinutes:
      return count + "min";
    case Unit::kNever:
      break;
  }
  return "never";
}

}  // namespace negatron
