#include "runtime/run/pretrain.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "runtime/data/loader.h"
#include "runtime/metrics/cut_metrics.h"
#include "runtime/run/broken_images.h"
#include "runtime/run/fill_with_features.h"
#include "runtime/run/hardest_sheet.h"
#include "runtime/run/initial_weights.h"
#include "runtime/run/refresh_jobs.h"
#include "runtime/run/resume.h"
#include "runtime/run/run_evaluation.h"
#include "runtime/run/run_loader.h"
#include "runtime/run/run_snapshots.h"

namespace negatron {
namespace {

/// Where snapshots are read together.
Communicator& restoring(const PretrainJob& job) {
  return job.restoring != nullptr ? *job.restoring : *job.host;
}

/// Of every view: normalised as the flags say, or else as the run that goes on was, or else as the images measure now.
/// Collective.
ViewFormat view_format(const PretrainOptions& options, const PretrainJob& job, const ImageSource& train) {
  std::optional<Normalization> known = options.normalization;
  if (!known && job.resume) known = saved_normalization(restoring(job), *job.resume, train.channels());
  return ViewFormat::of(train, known, *job.host);
}

/// A run from its start to its summary: what trainer, data, evaluations and snapshots share.
class Pretraining {
 public:
  Pretraining(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
              const PretrainData& data, Communicator& comm, const PretrainJob& job)
      : options_(options),
        job_(job),
        data_(data),
        batches_(run_loader_options(options, setup, data, view_format(options, job, *data.train), comm)),
        loader_(make_run_loader(data, batches_, place)),
        trainer_(options, setup, place, comm,
                 {data.train->channels(), loader_.steps_per_epoch(), data.facts, batches_.batches.format.size}),
        refresh_(options, setup, data, batches_.batches.format, *job.host, trainer_),
        evaluation_(options, data, batches_.batches.format, comm, trainer_, log_),
        snapshots_(*job.host, *job.files, job.run_directory, options.snapshots, job.requests),
        timer_(std::chrono::steady_clock::now, device_marks_of(place.device)) {
    position_.data = identity_of(data);
    position_.samples = data.train->size();
    find_start(comm);
    find_end();
    if (comm.rank() == 0) open_log(comm.size());
    evaluation_.pause_for([this] { look_up(); });
  }

  PretrainSummary run() {
    evaluate([this] {
      fill();
      measure_baselines();
    });
    log_.start();
    while (goes_on() && position_.epoch < options_.epochs) {
      train_epoch();
      if (goes_on()) finish_epoch();
    }
    log_.finish();
    PretrainSummary summary = finish();
    summary.missing = log_.missing();
    return summary;
  }

 private:
  /// Thrown by all ranks out of an evaluation that is cut off, because the run is to end.
  struct CutOff {};

  /// Where the run begins: at a snapshot, or with weights or a bank from elsewhere, or from nothing.
  void find_start(Communicator& training) {
    position_.steps_per_epoch = loader_.steps_per_epoch();
    position_.global_batch = options_.global_batch;
    position_.normalization = batches_.batches.format.normalization;
    position_.channels = data_.train->channels();
    position_.view_size = batches_.batches.format.size;
    position_.normalization_is_given = options_.normalization.has_value();
    Communicator& comm = restoring(job_);
    if (job_.resume) {
      ResumedRun resumed = resume_run(comm, *job_.resume, position_, job_.convert_bank, trainer_);
      position_ = std::move(resumed.position);
      if (resumed.other_images && refresh_.has_index()) {
        refresh_.forget_index();
        // A snapshot before the index is that of these images must say so.
        position_.data = *resumed.other_images;
      }
      if (training.rank() == 0) say(resumed.remarks);
      const bool is_here = job_.resume->path.parent_path() == job_.run_directory / "snapshots";
      if (is_here) snapshots_.resumed_at(trainer_.steps_done());
      return;
    }
    const std::string taken = start_from_weights(comm, training, options_, trainer_.encoders());
    if (training.rank() == 0) *job_.out << taken << std::flush;
    position_.bank_waits = options_.bank_fill == BankFill::kFeatures && !job_.bank;
    if (!job_.bank) return;
    const std::vector<std::string> remarks = start_from_bank(comm, *job_.bank, position_, job_.convert_bank, trainer_);
    if (training.rank() == 0) say(remarks);
  }

  /// Before the first step, and again in a run that goes on from one that was left in the middle of it.
  void fill() {
    if (!position_.bank_waits) return;
    const std::vector<std::string> remarks =
        fill_bank(*job_.host, options_, *data_.train, batches_.batches.format, trainer_, [this] { look_up(); });
    position_.bank_waits = false;
    if (job_.host->rank() == 0) say(remarks);
  }

  void say(const std::vector<std::string>& remarks) const {
    for (const std::string& remark : remarks) *job_.out << remark << "\n";
    *job_.out << std::flush;
  }

  /// Where the epochs end is known from the start on: after a change of batch the steps before were of another length.
  void find_end() {
    // Example: 4 epochs of 50 steps were done, then the batch was halved to 100 steps per epoch, 10 epochs in all.
    // The total is 10 * 100 + 200 - 4 * 100 = 800: the 200 steps done and 6 epochs of 100.
    const std::int64_t steps_of_epochs = position_.epoch * position_.steps_per_epoch + position_.batch_in_epoch;
    total_steps_ = options_.epochs * position_.steps_per_epoch + trainer_.steps_done() - steps_of_epochs;
    if (options_.max_steps > 0) total_steps_ = std::min(total_steps_, options_.max_steps);
  }

  void open_log(int ranks) {
    const std::filesystem::path metrics = job_.run_directory / "metrics.jsonl";
    const std::string not_cut = cut_metrics(metrics, trainer_.steps_done());
    const std::vector<ProgressView> lines = {{{}, job_.out}};
    log_.open(metrics, {options_.epochs, total_steps_, {}}, job_.progress.empty() ? lines : job_.progress);
    if (!not_cut.empty()) log_.remark("WARNING: " + not_cut);
    if (options_.tensorboard) log_.open_events(job_.run_directory / "tensorboard", trainer_.steps_done());
    if (job_.start) log_.started(*job_.start);
    if (job_.resume) log_.resumed({trainer_.steps_done(), ranks, job_.resume->path.string()});
  }

  /// A resumed run has measured them, unless it was left before its first step; what it has later are not random
  /// weights.
  void measure_baselines() {
    if (!options_.baselines || (job_.resume && trainer_.steps_done() > 0)) return;
    position_.raw_pixels = evaluation_.raw_pixels();
    position_.random_weights = evaluation_.random_weights();
  }

  /// Runs an evaluation, which pauses to look up. One that is cut off writes nothing, and the run that goes on makes it
  /// again: the position stays in front of it.
  void evaluate(const std::function<void()>& evaluation) {
    try {
      evaluation();
    } catch (const CutOff&) {
      // What ended it is in end_.
    }
  }

  /// In an evaluation what between_steps() does between steps: a snapshot counts as soon as it is written, and signals
  /// are heard.
  void look_up() {
    StepWishes agreed;
    log_.snapshots(snapshots_.outside_steps(
        agreed, trainer_.steps_done(), [this] { return state(); }, trainer_.banks()));
    end_as(agreed);
    if (end_ != RunEnd::kDone) throw CutOff{};
  }

  /// Collective.
  void end_as(const StepWishes& agreed) {
    if (agreed.stop) {
      end_ = RunEnd::kStopped;
    } else if (agreed.leave) {
      // Which signal it was need not travel with every step.
      end_ = snapshots_.any_terminated() ? RunEnd::kTerminated : RunEnd::kRequeue;
    }
  }

  bool leaves() const { return end_ == RunEnd::kRequeue || end_ == RunEnd::kTerminated; }

  bool goes_on() const { return end_ == RunEnd::kDone && trainer_.steps_done() < total_steps_; }

  /// Lines 1 and 9 of README.md, "The step in nine lines"; Trainer::step has those between.
  void train_epoch() {
    loader_.start_epoch(position_.epoch, position_.batch_in_epoch);
    while (goes_on()) {
      refresh();
      if (!goes_on()) return;
      timer_.start_step();
      timer_.enter(Phase::kData);
      const std::optional<Batch> batch = loader_.next();  // 1
      timer_.leave();
      if (!batch) return;
      StepWishes wishes = snapshots_.wishes();
      const StepMetrics metrics = trainer_.step(*batch, timer_, &wishes);  // 2 to 8
      log_.step(metrics, trainer_.steps_done());                           // 9
      position_.batch_in_epoch = loader_.index_in_epoch();
      between_steps(wishes);
    }
  }

  /// What is due before the next batch, if there is one. Left in the middle it is made again by the run that goes on.
  void refresh() {
    if (position_.batch_in_epoch == position_.steps_per_epoch || !refresh_.due(position_)) return;
    evaluate([this] {
      if (const auto made = refresh_.run(position_, [this] { look_up(); })) log_.refreshed(*made);
      position_.data = identity_of(data_);
      if (batches_.planned) loader_.plan(refresh_.plan(position_), refresh_.planned_until());
    });
  }

  /// The snapshot question; `agreed` is the same on all ranks.
  void between_steps(const StepWishes& agreed) {
    const bool epoch_done = position_.batch_in_epoch == position_.steps_per_epoch;
    const std::int64_t epochs_done = epoch_done ? position_.epoch + 1 : -1;
    log_.snapshots(snapshots_.after_step(
        agreed, trainer_.steps_done(), epochs_done, [this] { return state(); }, trainer_.banks()));
    end_as(agreed);
  }

  /// Only where another epoch follows: behind the last one, all of the data is evaluated.
  void finish_epoch() {
    const bool wanted = options_.evaluate_every > 0 && (position_.epoch + 1) % options_.evaluate_every == 0;
    if (wanted) {
      evaluate([this] { evaluation_.encoder(position_.epoch, options_.evaluate_index, options_.evaluate_queries); });
      if (end_ != RunEnd::kDone) return;
    }
    ++position_.epoch;
    position_.batch_in_epoch = 0;
    position_.order = at::Tensor();
  }

  TrainerState state() const { return run_state(trainer_, position_, {job_.config, job_.version}); }

  /// The last snapshot and the last evaluation, while the snapshot is written.
  PretrainSummary finish() {
    PretrainSummary summary;
    if (end_ != RunEnd::kStopped) save_last();
    if (end_ == RunEnd::kDone) {
      const std::int64_t last_epoch = std::min(position_.epoch, options_.epochs - 1);
      evaluate([&] { summary.trained = evaluation_.encoder(last_epoch, 0, 0); });
      // With --snapshot-every never there is none yet for a run that leaves.
      if (leaves()) save_last();
    }
    summary.end = end_;
    summary.steps_done = trainer_.steps_done();
    summary.raw_pixels = position_.raw_pixels;
    summary.random_weights = position_.random_weights;
    if (end_ == RunEnd::kStopped) return summary;
    log_.snapshots(snapshots_.finish());
    summary.saved = snapshots_.saved();
    log_.broken_images(count_broken_images(*job_.host, data_));
    if (summary.saved && end_ == RunEnd::kDone) show_hardest();
    return summary;
  }

  void save_last() {
    log_.snapshots(snapshots_.save_last(
        trainer_.steps_done(), leaves(), [this] { return state(); }, trainer_.banks()));
  }

  /// For who looks at the run. Rank 0 alone, local.
  void show_hardest() {
    const bool has_saved = options_.snapshots.every.unit != RunInterval::Unit::kNever && trainer_.bank() != nullptr;
    if (!options_.tensorboard || !has_saved || job_.host->rank() != 0) return;
    log_hardest(job_.run_directory, *data_.train, trainer_.steps_done(), log_);
  }

  const PretrainOptions& options_;
  const PretrainJob& job_;
  const PretrainData& data_;
  LoaderOptions batches_;
  Loader loader_;
  Trainer trainer_;
  RefreshJobs refresh_;
  RunLog log_;
  RunEvaluation evaluation_;
  RunSnapshots snapshots_;
  StepTimer timer_;
  RunPosition position_;
  std::int64_t total_steps_ = 0;
  RunEnd end_ = RunEnd::kDone;
};

}  // namespace

PretrainSummary pretrain(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                         const PretrainData& data, Communicator& comm, const PretrainJob& job) {
  return Pretraining(options, setup, place, data, comm, job).run();
}

}  // namespace negatron
