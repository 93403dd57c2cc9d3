#include "runtime/run/run_log.h"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "runtime/metrics/tensorboard/scalars.h"

namespace negatron {
namespace {

std::string percent(double part) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100.0 * part << " %";
  return text.str();
}

}  // namespace

// Only rank 0 opens its log. On the others every call below does nothing, so that the run need not ask which rank it is
// and no rank takes another way through it.
void RunLog::open(const std::filesystem::path& metrics, const ProgressOptions& options, std::ostream& out) {
  metrics_.emplace(metrics);
  progress_.emplace(options, out);
}

void RunLog::step(const StepMetrics& metrics, std::int64_t steps_done) {
  if (!metrics_) return;
  // To the file first: what is on the screen must be on the disk, also when the process ends between the two.
  metrics_->write(metrics);
  if (events_) {
    events_->write(metrics.step, scalars_of(metrics));
    if (const auto scores = hard_scores_of(metrics)) events_->write_histogram(metrics.step, *scores);
  }
  const double waited = metrics.phases[static_cast<std::size_t>(Phase::kData)];
  progress_->update({metrics.epoch, steps_done, metrics.loss, metrics.images_per_second, metrics.skipped_steps,
                     metrics.step_milliseconds, waited});
}

void RunLog::evaluation(const EvaluationMetrics& metrics, const std::string& subject) {
  if (!metrics_) return;
  metrics_->write(metrics);
  if (events_) events_->write(metrics.step, scalars_of(metrics));
  const std::string knn = std::isnan(metrics.knn) ? "no kNN without labels" : "kNN " + percent(metrics.knn);
  progress_->print(knn + "  " + subject);
}

void RunLog::snapshots(const std::vector<SnapshotMetrics>& told) {
  if (!metrics_) return;
  using Outcome = SnapshotMetrics::Outcome;
  for (const SnapshotMetrics& one : told) {
    metrics_->write(one);
    const std::string name = "snapshot of step " + std::to_string(one.step);
    // A snapshot that failed or is late does not end the run, so it must be seen: above the progress line, where it
    // stays. One that was saved is in metrics.jsonl only.
    if (one.outcome == Outcome::kFailed) {
      progress_->print("WARNING: no " + name + ": " + one.problem + " Older snapshots are untouched.");
    } else if (one.outcome == Outcome::kLate) {
      progress_->print("WARNING: the " + name + " is late: " + one.problem + " (--snapshot-every is too short).");
    } else if (!one.problem.empty()) {
      progress_->print("WARNING: " + name + " is saved, but " + one.problem);
    }
  }
}

void RunLog::resumed(const ResumeMetrics& metrics) {
  if (!metrics_) return;
  metrics_->write(metrics);
  progress_->print("resumed from step " + std::to_string(metrics.step) + ": " + metrics.path);
}

void RunLog::broken_images(const BrokenImages& broken) {
  if (!progress_ || broken.train + broken.test == 0) return;
  progress_->print("broken images: " + std::to_string(broken.train) + " of those for training, " +
                   std::to_string(broken.test) + " of those for evaluation; others took their places");
}

void RunLog::start() {
  if (progress_) progress_->start();
}

void RunLog::show_knn(double accuracy) {
  if (progress_) progress_->set_knn(accuracy);
}

void RunLog::finish() {
  if (progress_) progress_->finish();
}

}  // namespace negatron
