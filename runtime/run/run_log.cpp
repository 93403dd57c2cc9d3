#include "runtime/run/run_log.h"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "runtime/data/decoding/encode_png.h"
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
void RunLog::open(const std::filesystem::path& metrics, ProgressOptions options,
                  const std::vector<ProgressView>& views) {
  for (const ProgressView& view : views) {
    options.display = view.display;
    progress_.emplace_back(options, *view.out);
  }
  metrics_.emplace(metrics, warning());
}

AppendedFile::Warn RunLog::warning() {
  return [this](const std::string& sentence) { print("WARNING: " + sentence); };
}

void RunLog::print(const std::string& line) {
  for (ProgressLine& progress : progress_) progress.print(line);
}

void RunLog::step(const StepMetrics& metrics, std::int64_t steps_done) {
  if (!metrics_) return;
  // To the file first: what is on the screen must be on the disk, also when the process ends between the two.
  metrics_->write(metrics);
  if (events_) {
    events_->write(metrics.step, scalars_of(metrics));
    if (const auto scores = hard_scores_of(metrics)) events_->write_histogram(metrics.step, *scores);
    if (const auto ages = ages_of(metrics)) events_->write_histogram(metrics.step, *ages);
  }
  const double waited = metrics.phases[static_cast<std::size_t>(Phase::kData)];
  for (ProgressLine& progress : progress_) {
    progress.update({metrics.epoch, steps_done, metrics.loss, metrics.images_per_second, metrics.skipped_steps,
                     metrics.step_milliseconds, waited});
  }
}

void RunLog::evaluation(const EvaluationMetrics& metrics, const std::string& subject) {
  if (!metrics_) return;
  metrics_->write(metrics);
  if (events_) events_->write(metrics.step, scalars_of(metrics));
  const std::string knn =
      std::isnan(metrics.knn) ? "no kNN without labels and a test part" : "kNN " + percent(metrics.knn);
  print(knn + "  " + subject);
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
      print("WARNING: no " + name + ": " + one.problem + " Older snapshots are untouched.");
    } else if (one.outcome == Outcome::kLate) {
      print("WARNING: the " + name + " is late: " + one.problem + " (--snapshot-every is too short).");
    } else if (!one.problem.empty()) {
      print("WARNING: " + name + " is saved, but " + one.problem);
    }
  }
}

void RunLog::refreshed(const RefreshMetrics& metrics) {
  if (!metrics_) return;
  metrics_->write(metrics);
  std::ostringstream text;
  text << std::fixed << std::setprecision(1);
  const auto add = [&](const char* what, double seconds) {
    if (!std::isnan(seconds)) text << (text.tellp() > 0 ? ", " : "") << what << " in " << seconds << " s";
  };
  add("index made anew", metrics.index_seconds);
  add("samples mined", metrics.mining_seconds);
  add("order of the epoch", metrics.order_seconds);
  if (metrics.batch_similar > 0.0)
    text << ", " << percent(metrics.batch_similar) << " of a batch chosen for being alike";
  if (!std::isnan(metrics.batch_same_label)) {
    text << ", " << percent(metrics.batch_same_label) << " of its pairs have one label";
  }
  print(text.str());
}

void RunLog::resumed(const ResumeMetrics& metrics) {
  if (!metrics_) return;
  metrics_->write(metrics);
  print("resumed from step " + std::to_string(metrics.step) + ": " + metrics.path);
}

void RunLog::started(const StartMetrics& metrics) {
  if (metrics_) metrics_->write(metrics);
}

void RunLog::hardest(std::int64_t steps_done, const at::Tensor& sheet) {
  if (!events_) return;
  events_->write_image(steps_done, {"bank/hardest", encode_png(sheet), sheet.size(1), sheet.size(2)});
}

void RunLog::remark(const std::string& line) {
  if (metrics_) print(line);
}

void RunLog::broken_images(const BrokenImages& broken) {
  if (progress_.empty() || broken.train + broken.test == 0) return;
  print("broken images: " + std::to_string(broken.train) + " of those for training, " + std::to_string(broken.test) +
        " of those for evaluation; others took their places");
}

void RunLog::start() {
  for (ProgressLine& progress : progress_) progress.start();
}

void RunLog::show_knn(double accuracy) {
  for (ProgressLine& progress : progress_) progress.set_knn(accuracy);
}

void RunLog::finish() {
  for (ProgressLine& progress : progress_) progress.finish();
}

std::vector<std::string> RunLog::missing() const {
  std::vector<std::string> sentences;
  if (metrics_) sentences.push_back(metrics_->missing());
  if (events_) sentences.push_back(events_->missing());
  std::erase(sentences, std::string());
  return sentences;
}

}  // namespace negatron
