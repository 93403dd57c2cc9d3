#include "runtime/data/loader.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include <ATen/Parallel.h>

namespace negatron {

void LoaderOptions::validate() const {
  batches.validate();
  if (threads < 0) throw std::invalid_argument("The loader needs 0 or more threads.");
  if (queue_depth < 1) throw std::invalid_argument("The loader's queue must hold at least 1 batch.");
  if (first_epoch < 0 || first_index < 0) {
    throw std::invalid_argument("The loader cannot start before epoch 0, batch 0.");
  }
}

Loader::Loader(std::shared_ptr<const ImageSource> images, const LoaderOptions& options)
    : Loader(std::make_shared<BatchSource>(std::move(images), options.batches), options) {}

Loader::Loader(const std::shared_ptr<BatchSource>& source, const LoaderOptions& options)
    : Loader(Making{[source](std::int64_t epoch, std::int64_t index) { return source->begin(epoch, index); },
                    [source](Batch& batch, const Range& rows) { source->fill(batch, rows); }, source->rows_together(),
                    [source](const BatchPlan& plan) { source->plan(plan); }},
             source->steps_per_epoch(), options) {}

Loader::Loader(BuildBatch build, std::int64_t steps_per_epoch, const LoaderOptions& options)
    : Loader(Making{std::move(build), {}}, steps_per_epoch, options) {}

Loader::Loader(Making making, std::int64_t steps_per_epoch, const LoaderOptions& options)
    : making_(std::move(making)),
      finish_(options.finish),
      steps_per_epoch_(steps_per_epoch),
      queue_depth_(options.queue_depth),
      epoch_(options.first_epoch),
      index_(options.first_index),
      next_out_(options.first_epoch * steps_per_epoch + options.first_index),
      next_to_begin_(next_out_),
      planned_until_(options.planned ? next_out_ : std::numeric_limits<std::int64_t>::max()) {
  options.validate();
  if (steps_per_epoch < 1) throw std::invalid_argument("An epoch has at least 1 step.");
  if (index_ > steps_per_epoch) throw std::invalid_argument("The loader cannot start behind the end of an epoch.");
  start_threads(options.threads);
}

Loader::~Loader() {
  stop_threads();
}

void Loader::start_threads(int count) {
  if (count == 0) return;
  // A thread that limits itself to one ATen thread also changes what threads started later begin with, so the
  // caller's number is put back once all of them have done it.
  const int threads_of_caller = at::get_num_threads();
  try {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  } catch (...) {
    stop_threads();
    throw;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return threads_ready_ == count; });
  at::set_num_threads(threads_of_caller);
}

void Loader::stop_threads() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// An error travels in the place of its batch: it is thrown in the caller's thread, and when its turn comes.
void Loader::begin(std::int64_t position, Slot& slot) const {
  try {
    slot.batch = making_.begin(position / steps_per_epoch_, position % steps_per_epoch_);
    if (making_.fill) slot.rows = slot.batch.ids.size(0);
    if (slot.rows == 0 && finish_) finish_(slot.batch);
  } catch (...) {
    slot.error = std::current_exception();
  }
}

void Loader::begin_batch(std::unique_lock<std::mutex>& lock) {
  const std::int64_t position = next_to_begin_++;
  const std::int64_t generation = generation_;
  const auto slot = std::make_shared<Slot>();
  lock.unlock();
  begin(position, *slot);
  lock.lock();
  // A jump came meanwhile: the batch belongs to the old place and must not be found at the new.
  if (generation != generation_) return;
  slots_.emplace(position, slot);
  changed_.notify_all();
}

void Loader::fill_rows(Slot& slot, std::unique_lock<std::mutex>& lock) {
  const Range rows{slot.taken, std::min(slot.taken + making_.rows_together, slot.rows)};
  slot.taken = rows.end;
  std::exception_ptr error;
  lock.unlock();
  try {
    making_.fill(slot.batch, rows);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  if (finish_ && !error && !slot.error && slot.done + rows.size() == slot.rows) {
    // The last rows are there, and nobody else is at work on this batch.
    lock.unlock();
    try {
      finish_(slot.batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
  }
  slot.done += rows.size();
  if (error && (!slot.error || rows.begin < slot.failed_row)) {
    slot.error = error;
    slot.failed_row = rows.begin;
    // No more are taken. Those before these are: of several errors the first is always met.
    slot.rows = slot.taken;
  }
  if (slot.is_ready()) changed_.notify_all();
}

std::shared_ptr<Loader::Slot> Loader::slot_with_rows() const {
  const auto found = std::find_if(slots_.begin(), slots_.end(),
                                  [](const auto& slot) { return slot.second->taken < slot.second->rows; });
  return found == slots_.end() ? nullptr : found->second;
}

void Loader::work() {
  // The first question in a thread gives it the process's number, which must not come after the limit and undo it.
  at::get_num_threads();
  at::set_num_threads(1);
  std::unique_lock lock(mutex_);
  ++threads_ready_;
  changed_.notify_all();
  while (true) {
    // Batches are begun in order, at most queue_depth positions from next_out_ on, which bounds the memory; and nothing
    // new is begun while rows of an older batch wait for a thread. Parts may be finished in any order: they are written
    // where they belong.
    std::shared_ptr<Slot> slot;
    changed_.wait(lock, [&] {
      slot = slot_with_rows();
      return stop_ || slot || next_to_begin_ < std::min(next_out_ + queue_depth_, planned_until_);
    });
    if (stop_) return;
    ++at_work_;
    if (slot) {
      fill_rows(*slot, lock);
    } else {
      begin_batch(lock);
    }
    if (--at_work_ == 0) changed_.notify_all();
  }
}

Loader::Slot Loader::build(std::int64_t position) {
  Slot slot;
  begin(position, slot);
  std::unique_lock lock(mutex_);
  while (slot.taken < slot.rows) fill_rows(slot, lock);
  return slot;
}

void Loader::plan(const BatchPlan& plan, std::int64_t until) {
  {
    std::unique_lock lock(mutex_);
    // What a jump has given up may still be in the making, by the old plan.
    changed_.wait(lock, [this] { return at_work_ == 0; });
    making_.plan(plan);
    planned_until_ = until;
  }
  changed_.notify_all();
}

std::optional<Batch> Loader::next() {
  if (index_ == steps_per_epoch_) return std::nullopt;
  if (next_out_ >= planned_until_) throw std::logic_error("Loader::next goes beyond what was planned.");
  Slot slot;
  if (threads_.empty()) {
    slot = build(next_out_++);
  } else {
    std::unique_lock lock(mutex_);
    // The wait ends: the position lies inside the window, so a thread has begun it or will.
    changed_.wait(lock, [this] {
      const auto found = slots_.find(next_out_);
      return found != slots_.end() && found->second->is_ready();
    });
    slot = std::move(*slots_.extract(next_out_++).mapped());
    lock.unlock();
    changed_.notify_all();
  }
  ++index_;
  if (slot.error) std::rethrow_exception(slot.error);
  return std::move(slot.batch);
}

void Loader::start_epoch(std::int64_t epoch, std::int64_t first_index) {
  if (epoch < 0 || first_index < 0 || first_index > steps_per_epoch_) {
    throw std::invalid_argument("Loader::start_epoch needs an epoch of at least 0 and a batch of that epoch.");
  }
  const std::int64_t position = epoch * steps_per_epoch_ + first_index;
  {
    const std::lock_guard lock(mutex_);
    // Going from the last batch of an epoch to the first of the next is no jump: positions count over epochs.
    // Example: 10 steps per epoch, epoch 2 done; next_out_ is 30, which is epoch 3, batch 0, and batches 30, 31, ...
    // are built already.
    if (position != next_out_) {
      slots_.clear();
      ++generation_;
      next_out_ = next_to_begin_ = position;
      if (planned_until_ < std::numeric_limits<std::int64_t>::max()) planned_until_ = position;
    }
  }
  changed_.notify_all();
  epoch_ = epoch;
  index_ = first_index;
}

}  // namespace negatron
