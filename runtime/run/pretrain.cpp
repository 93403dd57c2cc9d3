#include "runtime/run/pretrain.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "runtime/data/loader.h"
#include "runtime/metrics/cut_metrics.h"
#include "runtime/run/resume.h"
#include "runtime/run/run_evaluation.h"
#include "runtime/run/run_snapshots.h"

namespace negatron {
namespace {

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

/// One run of `pretrain`: what its parts share.
class Run {
 public:
  Run(const PretrainOptions& options, const ComputePlace& place, const PretrainData& data, Communicator& comm,
      const PretrainJob& job)
      : options_(options),
        job_(job),
        batches_(loader_options(options, comm, data.train)),
        loader_(data.train, batches_),
        trainer_(options, place, comm, data.train.channels(), loader_.steps_per_epoch(), data.sample_types),
        evaluation_(options, data, batches_.batches.normalization, comm, trainer_, log_),
        snapshots_(*job.host, *job.files, job.run_directory, options.snapshots, job.requests) {
    position_.steps_per_epoch = loader_.steps_per_epoch();
    position_.global_batch = options.global_batch;
    begin();
    // Where the epochs end is known from here: after a change of batch the steps before were of another length.
    const std::int64_t steps_of_epochs = position_.epoch * position_.steps_per_epoch + position_.batch_in_epoch;
    total_steps_ = options.epochs * position_.steps_per_epoch + trainer_.steps_done() - steps_of_epochs;
    if (options.max_steps > 0) total_steps_ = std::min(total_steps_, options.max_steps);
    if (comm.rank() != 0) return;
    cut_metrics(job.run_directory / "metrics.jsonl", trainer_.steps_done());
    log_.open(job.run_directory / "metrics.jsonl", {options.epochs, total_steps_, job.display}, *job.out);
    if (job.resume) log_.resumed({trainer_.steps_done(), comm.size(), job.resume->path.string()});
  }

  PretrainSummary run() {
    // A resumed run has measured them; what it has now are not random weights.
    if (options_.baselines && !job_.resume) {
      position_.raw_pixels = evaluation_.raw_pixels();
      position_.random_weights = evaluation_.random_weights();
    }
    log_.start();
    while (end_ == RunEnd::kDone && position_.epoch < options_.epochs && !finished()) {
      train_epoch();
      if (end_ != RunEnd::kDone) break;
      const std::int64_t epochs_done = position_.epoch + 1;
      const bool wanted = options_.evaluate_every > 0 && epochs_done % options_.evaluate_every == 0;
      if (finished()) break;
      if (wanted) evaluation_.encoder(position_.epoch, options_.evaluate_index, options_.evaluate_queries);
      ++position_.epoch;
      position_.batch_in_epoch = 0;
    }
    log_.finish();
    return end();
  }

 private:
  bool finished() const { return trainer_.steps_done() >= total_steps_; }

  void begin() {
    Communicator& comm = job_.restoring != nullptr ? *job_.restoring : *job_.host;
    if (job_.resume) {
      position_ = resume_run(comm, *job_.resume, position_, job_.convert_bank, trainer_);
      const bool is_here = job_.resume->path.parent_path() == job_.run_directory / "snapshots";
      if (is_here) snapshots_.resumed_at(trainer_.steps_done());
    } else if (job_.bank) {
      start_from_bank(comm, *job_.bank, job_.convert_bank, trainer_);
    }
  }

  void train_epoch() {
    loader_.start_epoch(position_.epoch, position_.batch_in_epoch);
    while (!finished()) {
      timer_.start_step();
      std::optional<Batch> batch;
      {
        const auto phase = timer_.scope(Phase::kData);
        batch = loader_.next();
      }
      if (!batch) return;
      StepWishes wishes = snapshots_.wishes();
      const StepMetrics metrics = trainer_.step(*batch, timer_, &wishes);
      log_.step(metrics, trainer_.steps_done());
      position_.batch_in_epoch = loader_.index_in_epoch();
      between_steps(wishes);
      if (end_ != RunEnd::kDone) return;
    }
  }

  /// The snapshot question; `agreed` is the same on all ranks.
  void between_steps(const StepWishes& agreed) {
    const bool epoch_done = position_.batch_in_epoch == position_.steps_per_epoch;
    log_.snapshots(snapshots_.after_step(
        agreed, trainer_.steps_done(), epoch_done ? position_.epoch + 1 : -1, [this] { return state(); },
        trainer_.bank()));
    if (agreed.stop) {
      end_ = RunEnd::kStopped;
    } else if (agreed.leave) {
      end_ = RunEnd::kRequeue;
    }
  }

  TrainerState state() const { return run_state(trainer_, position_, job_.config); }

  PretrainSummary end() {
    PretrainSummary summary;
    summary.end = end_;
    summary.steps_done = trainer_.steps_done();
    summary.raw_pixels = position_.raw_pixels;
    summary.random_weights = position_.random_weights;
    if (end_ == RunEnd::kStopped) return summary;
    const bool leaves = end_ == RunEnd::kRequeue;
    log_.snapshots(snapshots_.save_last(
        trainer_.steps_done(), leaves, [this] { return state(); }, trainer_.bank()));
    // Written behind the last evaluation.
    if (!leaves) {
      const std::int64_t last_epoch = std::min(position_.epoch, options_.epochs - 1);
      summary.trained = evaluation_.encoder(last_epoch, 0, 0);
    }
    log_.snapshots(snapshots_.finish());
    summary.saved = snapshots_.saved();
    return summary;
  }

  const PretrainOptions& options_;
  const PretrainJob& job_;
  LoaderOptions batches_;
  Loader loader_;
  Trainer trainer_;
  RunLog log_;
  RunEvaluation evaluation_;
  RunSnapshots snapshots_;
  StepTimer timer_;
  RunPosition position_;
  std::int64_t total_steps_ = 0;
  RunEnd end_ = RunEnd::kDone;
};

}  // namespace

PretrainSummary pretrain(const PretrainOptions& options, const ComputePlace& place, const PretrainData& data,
                         Communicator& comm, const PretrainJob& job) {
  return Run(options, place, data, comm, job).run();
}

}  // namespace negatron
