#pragma once

#include <filesystem>
#include <string>

#include "runtime/metrics/step_metrics.h"

namespace negatron {

/// Appends to a file of one JSON object per line. A line is one write: a run that is killed leaves whole lines, and a
/// half line that a full disk or a lost machine left is cut off when the file is opened again. Numbers are written with
/// all the digits needed to read the same double back; those that are not finite become null. Local; rank 0 makes one.
class MetricsWriter {
 public:
  /// Creates the file or goes on after its last whole line. Throws std::runtime_error when it cannot be opened.
  explicit MetricsWriter(const std::filesystem::path& path);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  /// {"step":..,"epoch":..,"loss":..,"lr":..,"images_per_second":..,"step_ms":{"data":..,..,"total":..},
  ///  "bytes":{"all_gather":{"sent":..,"received":..},..},"positive_similarity":..,"negative_similarity":..,
  ///  "proxy_accuracy":..,"bank_fill":..,"bank_age":..,"momentum":..,"temperature":..,"skipped_steps":..}
  void write(const StepMetrics& metrics);
  /// {"event":"evaluation","subject":..,"step":..,"epoch":..,"knn":..,"alignment":..,"uniformity":..,"seconds":..}
  void write(const EvaluationMetrics& metrics);
  /// {"event":"snapshot","step":..,"outcome":"committed","snapshot_step":..,"snapshot_seconds":..,"snapshot_bytes":..}
  /// or "failed" or "late" with a "problem".
  void write(const SnapshotMetrics& metrics);
  /// {"event":"resume","step":..,"ranks":..,"snapshot":..}
  void write(const ResumeMetrics& metrics);

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
  int file_;
};

}  // namespace negatron
