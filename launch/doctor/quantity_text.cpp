#include "launch/doctor/quantity_text.h"

#include <cstddef>
#include <iomanip>
#include <sstream>
#include <vector>

namespace negatron {
namespace {

struct Unit {
  double size;
  const char* name;
};

/// In the largest unit of which it is at least one, else in the last. `units` descend.
std::string in_unit(double value, const std::vector<Unit>& units) {
  std::size_t i = 0;
  while (i + 1 < units.size() && value < units[i].size) ++i;
  const double count = value / units[i].size;
  std::ostringstream text;
  text << std::fixed << std::setprecision(count >= 100.0 ? 0 : count >= 10.0 ? 1 : 2) << count << " " << units[i].name;
  return text.str();
}

}  // namespace

std::string seconds_text(double seconds) {
  return in_unit(seconds, {{1.0, "s"}, {1e-3, "ms"}, {1e-6, "us"}});
}

std::string speed_text(double bytes_per_second) {
  return in_unit(bytes_per_second, {{1e9, "GB/s"}, {1e6, "MB/s"}, {1e3, "kB/s"}});
}

std::string memory_text(double bytes) {
  constexpr double kKiB = 1024.0;
  return in_unit(
      bytes, {{kKiB * kKiB * kKiB * kKiB, "TiB"}, {kKiB * kKiB * kKiB, "GiB"}, {kKiB * kKiB, "MiB"}, {kKiB, "KiB"}});
}

}  // namespace negatron
