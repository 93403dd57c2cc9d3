#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace negatron::testing {

/// One record of a file of events.
struct ToldEvent {
  double time = 0.0;
  std::int64_t step = 0;
  std::string version;
  bool starts = false;
  std::vector<std::pair<std::string, float>> scalars;
  /// Of histograms: the upper ends of buckets, and how many values are in each.
  std::vector<std::pair<double, double>> buckets;
};

/// All of a file, with lengths and checksums verified. Throws std::runtime_error for what TensorBoard would refuse.
std::vector<ToldEvent> told_events(const std::filesystem::path& path);

}  // namespace negatron::testing
