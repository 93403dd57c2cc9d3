#pragma once

#include <deque>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/metrics/metrics_writer.h"
#include "runtime/metrics/progress_line.h"
#include "runtime/metrics/tensorboard/event_writer.h"
#include "runtime/run/broken_images.h"

namespace negatron {

/// What a run tells: lines of metrics.jsonl, TensorBoard's events and what a person sees. Rank 0 opens it; those of the
/// others stay silent, so that callers need not ask who they are. Local.
class RunLog {
 public:
  RunLog() = default;
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  /// From here on it speaks, to all of `views`; the display of `options` is not looked at.
  void open(const std::filesystem::path& metrics, ProgressOptions options, const std::vector<ProgressView>& views);

  /// TensorBoard's file is told from step `first_step` on, too.
  void open_events(const std::filesystem::path& folder, std::int64_t first_step) {
    events_.emplace(folder, first_step, warning());
  }

  void step(const StepMetrics& metrics, std::int64_t steps_done);
  /// Also prints a line: its accuracy, and `subject`.
  void evaluation(const EvaluationMetrics& metrics, const std::string& subject);
  void snapshots(const std::vector<SnapshotMetrics>& told);
  /// A line for people, too.
  void refreshed(const RefreshMetrics& metrics);
  void resumed(const ResumeMetrics& metrics);
  /// Nothing for people, who are told before.
  void started(const StartMetrics& metrics);
  /// A sheet [3, H, W] uint8 of what the bank finds hardest to tell apart (reports/near_sheet.h), for TensorBoard.
  void hardest(std::int64_t steps_done, const at::Tensor& sheet);
  /// A line for people.
  void remark(const std::string& line);

  /// A line about them, if there are any.
  void broken_images(const BrokenImages& broken);

  /// Time left is reckoned from here on.
  void start();
  /// Accuracy 0 to 1, shown from now on.
  void show_knn(double accuracy);
  /// Shows the last state and ends the progress line.
  void finish();

  /// A sentence for each file that misses something.
  std::vector<std::string> missing() const;

 private:
  void print(const std::string& line);
  /// Prints what it is told.
  AppendedFile::Warn warning();

  std::optional<MetricsWriter> metrics_;
  std::optional<EventWriter> events_;
  /// Of each view; none while it is silent.
  std::deque<ProgressLine> progress_;
};

}  // namespace negatron
