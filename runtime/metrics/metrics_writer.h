#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "runtime/metrics/step_metrics.h"

namespace negatron {

/// Appends to a file of one flat JSON object per line, which pandas reads as one table. A line is one write: a run that
/// is killed leaves whole lines, and a half line that a full disk or a lost machine left is cut off when the file is
/// opened again. Numbers are written with all the digits needed to read the same double back; those that are not finite
/// become null. Each line ends with "time", when it was written. Local; rank 0 makes one.
class MetricsWriter {
 public:
  /// Seconds since 1970.
  using Clock = std::function<double()>;

  /// Creates the file or goes on after its last whole line. Throws std::runtime_error when it cannot be opened.
  explicit MetricsWriter(const std::filesystem::path& path, Clock clock = wall_time);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  /// {"step":..,"epoch":..,"loss":..,"lr":..,"images_per_second":..,"step_ms.data":..,..,"step_ms.total":..,
  ///  "bytes.all_gather.sent":..,"bytes.all_gather.received":..,..,"positive_similarity":..,"negative_similarity":..,
  ///  "proxy_accuracy":..,"bank_fill":..,"bank_age":..,"momentum":..,"temperature":..,"skipped_steps":..,"time":..}
  void write(const StepMetrics& metrics);
  /// {"event":"evaluation","subject":..,"step":..,"epoch":..,"knn":..,"alignment":..,"uniformity":..,"seconds":..}
  void write(const EvaluationMetrics& metrics);
  /// {"event":"snapshot","step":..,"outcome":"committed","snapshot_step":..,"snapshot_seconds":..,"snapshot_bytes":..}
  /// or "failed" or "late" with a "problem".
  void write(const SnapshotMetrics& metrics);
  /// {"event":"resume","step":..,"ranks":..,"snapshot":..}
  void write(const ResumeMetrics& metrics);

  /// By this host's clock, to the millisecond.
  static double wall_time();

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
  Clock clock_;
  int file_;
};

}  // namespace negatron
