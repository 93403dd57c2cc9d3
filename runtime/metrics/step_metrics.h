#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "comm/traffic.h"
#include "runtime/metrics/step_timer.h"

namespace negatron {

/// One training step in numbers: one line of metrics.jsonl. What does not apply stays NaN and is written as null.
struct StepMetrics {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double loss = 0.0;
  double learning_rate = 0.0;
  double images_per_second = 0.0;
  PhaseMilliseconds phases{};
  double step_milliseconds = 0.0;
  /// Of this rank in this step, by operation.
  std::map<std::string, Traffic> traffic{};
  double positive_similarity = 0.0;
  double negative_similarity = 0.0;
  /// Share of queries whose positive beats every negative, 0 to 1. On a GPU NaN in steps that did not look
  /// (step_report.h).
  double proxy_accuracy = 0.0;
  /// Share of the bank's slots that are valid, 0 to 1.
  double bank_fill = 0.0;
  /// Mean age of the bank's keys in steps.
  double bank_age = 0.0;
  /// Rows of the bank by their age in steps; told in some steps only (step_report.h), and not in metrics.jsonl.
  std::map<std::int64_t, std::int64_t> rows_by_age{};
  /// Each of these ages stands for so many, of which it is the least.
  std::int64_t ages_together = 1;
  double momentum = 0.0;
  double temperature = 0.0;
  /// Steps of the run so far that were left out because a loss or gradient was not finite.
  std::int64_t skipped_steps = 0;
  /// What this run's objective and sampler add, by name ("clamped": share of queries).
  std::map<std::string, double> method{};
};

/// One evaluation, of the encoder or of what it is compared with.
struct EvaluationMetrics {
  /// "encoder", "random weights", "initial weights" or "raw pixels".
  std::string subject = "encoder";
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  /// Accuracies 0 to 1; NaN when not computed.
  double knn = 0.0;
  double alignment = 0.0;
  double uniformity = 0.0;
  double seconds = 0.0;
  /// As in Traffic, of this rank.
  std::int64_t staged_bytes = 0;
};

/// What became of one snapshot.
struct SnapshotMetrics {
  enum class Outcome {
    kCommitted,
    kFailed,
    /// It was due, but the one before was not yet written.
    kLate
  };
  /// Steps done when it was (to be) made.
  std::int64_t step = 0;
  Outcome outcome = Outcome::kCommitted;
  double seconds = 0.0;
  std::int64_t bytes = 0;
  std::string path{};
  /// Why it failed or is late, or what went wrong beside it; empty when all is well.
  std::string problem{};
};

/// What was made anew between two steps; NaN for what was not.
struct RefreshMetrics {
  /// Steps done.
  std::int64_t step = 0;
  /// For the index of all samples, what is mined in it, and the order of the epoch.
  double index_seconds = std::numeric_limits<double>::quiet_NaN();
  double mining_seconds = std::numeric_limits<double>::quiet_NaN();
  double order_seconds = std::numeric_limits<double>::quiet_NaN();
  /// Of a batch in that order the share that was chosen for being alike, and of its pairs the share of one label.
  double batch_similar = std::numeric_limits<double>::quiet_NaN();
  double batch_same_label = std::numeric_limits<double>::quiet_NaN();
};

/// A start of the run by Slurm.
struct StartMetrics {
  /// Steps done.
  std::int64_t step = 0;
  int ranks = 1;
  /// Job and step: "12.0".
  std::string job{};
  /// "n[1-2]"
  std::string nodes{};
  /// How often Slurm has begun the job again.
  std::int64_t restarts = 0;
};

/// Where a run goes on.
struct ResumeMetrics {
  /// Steps done.
  std::int64_t step = 0;
  int ranks = 1;
  /// The snapshot.
  std::string path{};
};

}  // namespace negatron
