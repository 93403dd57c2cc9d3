#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/metrics/tensorboard/record_file.h"

namespace negatron {

/// How values are spread, as shares of them in buckets that follow on each other.
struct NamedHistogram {
  std::string name;
  /// The lower end of the first bucket, and the upper end of each.
  double begin = 0.0;
  std::vector<double> ends;
  std::vector<double> counts;
};

struct NamedImage {
  std::string name;
  std::string png;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// What TensorBoard shows of a run: a file of its events in a folder of its own, another one for each start. Local;
/// rank 0 makes one.
class EventWriter {
 public:
  /// Makes `folder` where it is not there, and in it a file. What older files there tell of steps from `first_step` on
  /// does not count any more: a run that resumes tells it again.
  EventWriter(const std::filesystem::path& folder, std::int64_t first_step, AppendedFile::Warn warn = {});

  using Scalars = std::vector<std::pair<std::string, double>>;
  /// Curves by name, one point of each.
  void write(std::int64_t step, const Scalars& scalars);
  /// A PNG file of that size, in colour.
  void write_image(std::int64_t step, const NamedImage& image);
  void write_histogram(std::int64_t step, const NamedHistogram& histogram);

  const std::filesystem::path& path() const noexcept { return file_.path(); }
  /// As AppendedFile::missing().
  std::string missing() const { return file_.missing(); }

 private:
  RecordFile file_;
};

}  // namespace negatron
