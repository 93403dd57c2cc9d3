#include "runtime/run/run_evaluation.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "runtime/evaluation/evaluate_views.h"
#include "runtime/run/data_memory.h"

namespace negatron {
namespace {

constexpr std::int64_t kFeatureBatch = 500;

}  // namespace

RunEvaluation::RunEvaluation(const PretrainOptions& options, const PretrainData& data, const ViewFormat& format,
                             Communicator& comm, Trainer& trainer, RunLog& log)
    : options_(options), data_(data), format_(format), comm_(comm), trainer_(trainer), log_(log) {}

double RunEvaluation::raw_pixels() {
  if (!has_labels()) return std::nan("");
  // The widest features there are: of a million photographs they would not fit anywhere. Half of the room is for either
  // part.
  const std::int64_t most = std::max<std::int64_t>(1, pixel_rows(options_, data_, format_.size) / 2);
  return baseline(data_.train->gives_features() ? "raw features" : "raw pixels", pixels_as_features, most);
}

double RunEvaluation::random_weights() {
  // Under the name of what they are.
  return baseline(options_.init.file.empty() ? "random weights" : "initial weights", backbone(), 0);
}

// Collective: alignment, uniformity and kNN take their collectives in this order on every rank.
double RunEvaluation::encoder(std::int64_t epoch, std::int64_t index_count, std::int64_t query_count) {
  StepTimer clock;
  const std::int64_t staged_before = staged_bytes(comm_.traffic().total());
  ViewEvaluationOptions views;
  views.seed = options_.seed;
  views.augmentation = options_.augmentation;
  views.format = format_;
  views.pause = pause_;
  const auto embed = [this](const at::Tensor& images) { return trainer_.encoders().embed(images); };
  const ViewQuality quality = evaluate_views(comm_, embed, evaluated_images(), views);
  EvaluationMetrics metrics;
  metrics.step = trainer_.steps_done();
  metrics.epoch = epoch;
  metrics.knn = classify(backbone(), index_count, query_count);
  metrics.alignment = quality.alignment;
  metrics.uniformity = quality.uniformity;
  metrics.seconds = clock.step_milliseconds() / 1000.0;
  metrics.staged_bytes = staged_bytes(comm_.traffic().total()) - staged_before;
  if (has_labels()) log_.show_knn(metrics.knn);
  std::ostringstream subject;
  subject << "after epoch " << epoch + 1 << (takes_a_part(index_count, query_count) ? " (on a part of the images)" : "")
          << "; alignment " << std::fixed << std::setprecision(3) << quality.alignment << ", uniformity "
          << quality.uniformity;
  log_.evaluation(metrics, subject.str());
  return metrics.knn;
}

bool RunEvaluation::takes_a_part(std::int64_t index_count, std::int64_t query_count) const {
  const auto is_part = [](std::int64_t count, const ImageSource* images) {
    return count > 0 && images != nullptr && count < images->size();
  };
  return is_part(index_count, data_.train.get()) || is_part(query_count, data_.test.get());
}

FeatureFunction RunEvaluation::backbone() {
  return [this](const at::Tensor& views) { return trainer_.encoders().features(views); };
}

double RunEvaluation::baseline(const std::string& subject, const FeatureFunction& features, std::int64_t most) {
  if (!has_labels()) return std::nan("");
  StepTimer clock;
  const std::int64_t staged_before = staged_bytes(comm_.traffic().total());
  EvaluationMetrics metrics;
  metrics.subject = subject;
  metrics.knn = classify(features, most, most);
  // Baselines have no pairs of views: what was not measured is not a number, rather than a 0 that could be read as
  // good.
  metrics.alignment = metrics.uniformity = std::nan("");
  metrics.seconds = clock.step_milliseconds() / 1000.0;
  metrics.staged_bytes = staged_bytes(comm_.traffic().total()) - staged_before;
  const bool all = most == 0 || std::max(data_.train->size(), data_.test->size()) <= most;
  log_.evaluation(metrics, all ? subject : subject + " (of " + std::to_string(most) + " images: --data-memory)");
  return metrics.knn;
}

double RunEvaluation::classify(const FeatureFunction& features, std::int64_t index_count, std::int64_t query_count) {
  if (!has_labels()) return std::nan("");
  KnnEvaluationOptions evaluation;
  evaluation.knn.k = options_.knn_k;
  evaluation.knn.temperature = options_.knn_temperature;
  evaluation.format = format_;
  evaluation.batch = kFeatureBatch;
  evaluation.index_count = index_count;
  evaluation.query_count = query_count;
  evaluation.seed = options_.seed;
  evaluation.pause = pause_;
  return evaluate_knn(comm_, features, *data_.train, *data_.test, evaluation);
}

}  // namespace negatron
