#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "runtime/metrics/appended_file.h"
#include "runtime/metrics/step_metrics.h"

namespace negatron {

/// Appends to a file of one flat JSON object per line, which pandas reads as one table; what cannot be written is
/// counted, and ends no run (appended_file.h). Numbers are written with all the digits needed to read the same double
/// back; those that are not finite become null. Each line ends with "time", when it was written. Local; rank 0 makes
/// one.
class MetricsWriter {
 public:
  /// Seconds since 1970.
  using Clock = std::function<double()>;

  /// Creates the file or goes on after its last whole line.
  explicit MetricsWriter(const std::filesystem::path& path, AppendedFile::Warn warn = {}, Clock clock = wall_time);

  /// {"step":..,"epoch":..,"loss":..,"lr":..,"images_per_second":..,"step_ms.data":..,..,"step_ms.total":..,
  ///  "bytes.all_gather.sent":..,"bytes.all_gather.received":..,..,"positive_similarity":..,"negative_similarity":..,
  ///  "proxy_accuracy":..,"bank_fill":..,"bank_age":..,"momentum":..,"temperature":..,"skipped_steps":..,"time":..}
  void write(const StepMetrics& metrics);
  /// {"event":"evaluation","subject":..,"step":..,"epoch":..,"knn":..,"alignment":..,"uniformity":..,"seconds":..}
  void write(const EvaluationMetrics& metrics);
  /// {"event":"snapshot","step":..,"outcome":"committed","snapshot_step":..,"snapshot_seconds":..,"snapshot_bytes":..}
  /// or "failed" or "late" with a "problem".
  void write(const SnapshotMetrics& metrics);
  /// {"event":"refresh","step":..,"index_seconds":..,"mining_seconds":..,"order_seconds":..,"batch_similar":..,
  ///  "batch_same_label":..}, of these what there is.
  void write(const RefreshMetrics& metrics);
  /// {"event":"resume","step":..,"ranks":..,"snapshot":..}
  void write(const ResumeMetrics& metrics);
  /// {"event":"start","step":..,"ranks":..,"slurm_job":"12.0","slurm_nodes":"n[1-2]","slurm_restarts":..}
  void write(const StartMetrics& metrics);

  /// By this host's clock, to the millisecond.
  static double wall_time();

  /// As AppendedFile::missing().
  std::string missing() const { return file_.missing(); }

 private:
  Clock clock_;
  AppendedFile file_;
};

}  // namespace negatron
