#include "launch/start_limit.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "comm/mpi/environment.h"

namespace negatron {

std::chrono::milliseconds start_limit(int argc, const char* const* argv) {
  const std::string flag = "--collective-time-limit";
  // Ranks start seconds apart, however little a step may wait.
  constexpr double kLeastSeconds = 10.0;
  // A larger one is a way of saying "none", and a start that takes a day has failed.
  constexpr double kMostSeconds = 24.0 * 3600.0;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::string value;
    if (word == flag && i + 1 < argc) value = argv[i + 1];
    if (word.starts_with(flag + "=")) value = word.substr(flag.size() + 1);
    const double seconds = std::strtod(value.c_str(), nullptr);
    if (seconds > 0.0 && seconds <= kMostSeconds) {
      return std::chrono::milliseconds(static_cast<std::int64_t>(1000.0 * std::max(seconds, kLeastSeconds)));
    }
  }
  return Environment::kStartLimit;
}

}  // namespace negatron
