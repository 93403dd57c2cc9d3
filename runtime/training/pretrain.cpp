#include "runtime/training/pretrain.h"

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "runtime/data/loader.h"
#include "runtime/data/sample_types.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/evaluation/evaluate_views.h"
#include "runtime/metrics/metrics_writer.h"
#include "runtime/metrics/progress_line.h"

namespace negatron {
namespace {

constexpr std::int64_t kFeatureBatch = 500;

LoaderOptions loader_options(const PretrainOptions& options, const Communicator& comm, const ImageDataset& train) {
  LoaderOptions loader;
  loader.batches.global_batch = options.global_batch;
  loader.batches.seed = options.seed;
  loader.batches.rank = comm.rank();
  loader.batches.ranks = comm.size();
  loader.batches.drop_last = options.drop_last;
  loader.batches.augmentation = options.augmentation;
  loader.batches.normalization = Normalization::measure(train.images);
  loader.threads = static_cast<int>(options.loader_threads);
  return loader;
}

std::string percent(double part) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100.0 * part << " %";
  return text.str();
}

/// One run of `pretrain`: what its parts share.
class Run {
 public:
  Run(const PretrainOptions& options, const ComputePlace& place, const PretrainData& data, Communicator& comm,
      const std::filesystem::path& run_directory, std::ostream& out, const ProgressDisplay& display)
      : options_(options),
        data_(data),
        comm_(comm),
        batches_(loader_options(options, comm, data.train)),
        loader_(data.train, batches_),
        trainer_(options, place, comm, data.train.channels(), loader_.steps_per_epoch(), data.sample_types),
        total_steps_(options.epochs * loader_.steps_per_epoch()) {
    if (options.max_steps > 0) total_steps_ = std::min(total_steps_, options.max_steps);
    if (comm.rank() != 0) return;
    metrics_.emplace(run_directory / "metrics.jsonl");
    progress_.emplace(ProgressOptions{options.epochs, total_steps_, display}, out);
  }

  PretrainSummary run() {
    PretrainSummary summary;
    const auto pixels = [this](const at::Tensor& images) {
      return pixel_features(images, batches_.batches.normalization);
    };
    if (options_.baselines) {
      summary.raw_pixels = evaluate_baseline("raw pixels", pixels);
      summary.random_weights = evaluate_baseline("random weights", backbone());
    }
    if (progress_) progress_->start();
    std::int64_t epochs_begun = 0;
    for (std::int64_t epoch = 0; epoch < options_.epochs && !finished(); ++epoch) {
      train_epoch(epoch);
      epochs_begun = epoch + 1;
      const bool wanted = options_.evaluate_every > 0 && (epoch + 1) % options_.evaluate_every == 0;
      if (wanted && !finished()) evaluate_encoder(epoch, options_.evaluate_index, options_.evaluate_queries);
    }
    if (progress_) progress_->finish();
    summary.trained = evaluate_encoder(epochs_begun - 1, 0, 0);
    return summary;
  }

 private:
  bool finished() const { return trainer_.steps_done() >= total_steps_; }

  void train_epoch(std::int64_t epoch) {
    loader_.start_epoch(epoch);
    while (!finished()) {
      timer_.start_step();
      std::optional<Batch> batch;
      {
        const auto phase = timer_.scope(Phase::kData);
        batch = loader_.next();
      }
      if (!batch) return;
      const StepMetrics metrics = trainer_.step(*batch, timer_);
      if (!metrics_) continue;
      metrics_->write(metrics);
      progress_->update({epoch, trainer_.steps_done(), metrics.loss, metrics.images_per_second, metrics.skipped_steps});
    }
  }

  ImageFeatures backbone() {
    return [this](const at::Tensor& images) {
      const auto features = [this](const at::Tensor& batch) { return trainer_.features(batch); };
      return extract_features(features, images, batches_.batches.normalization, kFeatureBatch);
    };
  }

  /// What the trained features are compared with, on all of the data. Returns the kNN accuracy.
  double evaluate_baseline(const std::string& subject, const ImageFeatures& features) {
    StepTimer clock;
    EvaluationMetrics metrics;
    metrics.subject = subject;
    metrics.knn = classify(features, 0, 0);
    metrics.alignment = metrics.uniformity = std::nan("");
    metrics.seconds = clock.step_milliseconds() / 1000.0;
    show(metrics, subject);
    return metrics.knn;
  }

  /// On so many training and test images, 0 for all. Returns the kNN accuracy.
  double evaluate_encoder(std::int64_t epoch, std::int64_t index_count, std::int64_t query_count) {
    StepTimer clock;
    ViewEvaluationOptions views;
    views.seed = options_.seed;
    views.augmentation = options_.augmentation;
    views.normalization = batches_.batches.normalization;
    const auto embed = [this](const at::Tensor& images) { return trainer_.embed(images); };
    const ViewQuality quality = evaluate_views(comm_, embed, data_.test, views);
    EvaluationMetrics metrics;
    metrics.step = trainer_.steps_done();
    metrics.epoch = epoch;
    metrics.knn = classify(backbone(), index_count, query_count);
    metrics.alignment = quality.alignment;
    metrics.uniformity = quality.uniformity;
    metrics.seconds = clock.step_milliseconds() / 1000.0;
    if (progress_) progress_->set_knn(metrics.knn);
    std::ostringstream subject;
    subject << "after epoch " << epoch + 1 << (index_count + query_count > 0 ? " (on a part of the images)" : "")
            << "; alignment " << std::fixed << std::setprecision(3) << quality.alignment << ", uniformity "
            << quality.uniformity;
    show(metrics, subject.str());
    return metrics.knn;
  }

  /// Collective.
  double classify(const ImageFeatures& features, std::int64_t index_count, std::int64_t query_count) {
    KnnEvaluationOptions evaluation;
    evaluation.knn.k = options_.knn_k;
    evaluation.knn.temperature = options_.knn_temperature;
    evaluation.index_count = index_count;
    evaluation.query_count = query_count;
    evaluation.seed = options_.seed;
    return evaluate_knn(comm_, features, data_.train, data_.test, evaluation);
  }

  void show(const EvaluationMetrics& metrics, const std::string& subject) {
    if (!metrics_) return;
    metrics_->write(metrics);
    progress_->print("kNN " + percent(metrics.knn) + "  " + subject);
  }

  const PretrainOptions& options_;
  const PretrainData& data_;
  Communicator& comm_;
  LoaderOptions batches_;
  Loader loader_;
  Trainer trainer_;
  StepTimer timer_;
  std::int64_t total_steps_;
  /// Rank 0 only.
  std::optional<MetricsWriter> metrics_;
  std::optional<ProgressLine> progress_;
};

}  // namespace

PretrainData load_pretrain_data(const PretrainOptions& options) {
  PretrainData data;
  data.train = load_idx_dataset(options.data_directory, Split::kTrain);
  if (!options.sample_types.empty()) {
    data.sample_types = read_sample_types(options.sample_types, data.train.size());
    resolve_contrast(options, data.sample_types);
  }
  if (options.holdout == 0) {
    data.test = load_idx_dataset(options.data_directory, Split::kTest);
    return data;
  }
  const std::int64_t kept = data.train.size() - options.holdout;
  if (kept < 1) {
    throw std::invalid_argument("--holdout " + std::to_string(options.holdout) + " leaves nothing of the " +
                                std::to_string(data.train.size()) + " training samples.");
  }
  data.test = data.train.slice({kept, data.train.size()});
  data.train = data.train.slice({0, kept});
  return data;
}

PretrainSummary pretrain(const PretrainOptions& options, const ComputePlace& place, const PretrainData& data,
                         Communicator& comm, const std::filesystem::path& run_directory, std::ostream& out,
                         const ProgressDisplay& display) {
  return Run(options, place, data, comm, run_directory, out, display).run();
}

}  // namespace negatron
