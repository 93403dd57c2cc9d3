#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/data/batch_source.h"

namespace negatron {

struct LoaderOptions {
  BatchOptions batches;
  /// Background threads, which may all be at work on one batch. 0 builds every batch inside `next`.
  int threads = 1;
  /// Batches that may wait ready or be in the making.
  int queue_depth = 4;
  /// What is done to a batch that is whole, in the thread that completed it, before anybody gets it; may be empty.
  std::function<void(Batch& batch)> finish{};
  /// Batches are planned: none is begun before plan() has come as far.
  bool planned = false;
  /// Where to start: a resumed run starts inside an epoch.
  std::int64_t first_epoch = 0;
  std::int64_t first_index = 0;

  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

/// Batches in order, built ahead in background threads. These take rows of the oldest batch that is not yet built, so
/// that how many batches lie in memory depends on the queue and not on the threads. ATen runs single-threaded inside
/// them: they do not take cores from the training step. Local; `next` and `start_epoch` are for one thread.
class Loader {
 public:
  using BuildBatch = std::function<Batch(std::int64_t epoch, std::int64_t index)>;

  Loader(std::shared_ptr<const ImageSource> images, const LoaderOptions& options);
  /// Any way to build a batch, called from the background threads, several at a time.
  Loader(BuildBatch build, std::int64_t steps_per_epoch, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch of the current epoch; nothing once the epoch is over. What went wrong in a background thread is
  /// thrown here, in the place of the batch that it was building.
  std::optional<Batch> next();
  /// Goes to batch `first_index` of `epoch`. Going on to the following epoch keeps what was already built for it.
  void start_epoch(std::int64_t epoch, std::int64_t first_index = 0);
  /// Where batches are planned: those before position `until`, which counts them over epochs, are made by this plan.
  /// All that an earlier plan allowed must have been taken by next(), or given up by start_epoch(). Throws
  /// std::invalid_argument when the plan is of other samples.
  void plan(const BatchPlan& plan, std::int64_t until);

  std::int64_t steps_per_epoch() const noexcept { return steps_per_epoch_; }
  std::int64_t epoch() const noexcept { return epoch_; }
  /// Of the batch that `next` returns next.
  std::int64_t index_in_epoch() const noexcept { return index_; }

 private:
  /// How a batch comes about.
  struct Making {
    BuildBatch begin;
    /// Empty where what was begun is whole.
    std::function<void(Batch& batch, const Range& rows)> fill;
    std::int64_t rows_together = 1;
    /// Empty where nothing can be planned.
    std::function<void(const BatchPlan& plan)> plan{};
  };
  /// A batch in the making.
  struct Slot {
    Batch batch;
    /// So many are to be filled; threads have taken so many of them, and are done with so many.
    std::int64_t rows = 0;
    std::int64_t taken = 0;
    std::int64_t done = 0;
    /// What went wrong first, by rows, and where.
    std::exception_ptr error;
    std::int64_t failed_row = 0;

    bool is_ready() const { return done == rows; }
  };

  Loader(const std::shared_ptr<BatchSource>& source, const LoaderOptions& options);
  Loader(Making making, std::int64_t steps_per_epoch, const LoaderOptions& options);

  void start_threads(int count);
  void stop_threads();
  void work();
  /// Both give the lock up while they are at work.
  void begin_batch(std::unique_lock<std::mutex>& lock);
  void fill_rows(Slot& slot, std::unique_lock<std::mutex>& lock);
  /// The oldest batch with rows that nobody has taken; null for none.
  std::shared_ptr<Slot> slot_with_rows() const;
  void begin(std::int64_t position, Slot& slot) const;
  /// All of a batch, in this thread.
  Slot build(std::int64_t position);

  Making making_;
  std::function<void(Batch& batch)> finish_;
  std::int64_t steps_per_epoch_;
  int queue_depth_;
  std::int64_t epoch_;
  std::int64_t index_;

  // A position counts batches over epochs: epoch * steps_per_epoch + index.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, std::shared_ptr<Slot>> slots_;
  std::int64_t next_out_ = 0;
  std::int64_t next_to_begin_ = 0;
  /// No batch at this position or behind it is begun yet.
  std::int64_t planned_until_;
  /// Threads that are at a batch.
  int at_work_ = 0;
  // Raised by a jump, so that batches in the making for the old place are dropped.
  std::int64_t generation_ = 0;
  int threads_ready_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace negatron
