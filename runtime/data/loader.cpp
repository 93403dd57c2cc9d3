#include "runtime/data/loader.h"

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
    : Loader(std::make_shared<const BatchSource>(std::move(images), options.batches), options) {}

Loader::Loader(const std::shared_ptr<const BatchSource>& source, const LoaderOptions& options)
    : Loader([source](std::int64_t epoch, std::int64_t index) { return source->build(epoch, index); },
             source->steps_per_epoch(), options) {}

Loader::Loader(BuildBatch build, std::int64_t steps_per_epoch, const LoaderOptions& options)
    : build_(std::move(build)),
      steps_per_epoch_(steps_per_epoch),
      queue_depth_(options.queue_depth),
      epoch_(options.first_epoch),
      index_(options.first_index),
      next_out_(options.first_epoch * steps_per_epoch + options.first_index),
      next_to_build_(next_out_) {
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

Loader::Slot Loader::build(std::int64_t position) const {
  Slot slot;
  try {
    slot.batch = build_(position / steps_per_epoch_, position % steps_per_epoch_);
  } catch (...) {
    // An error travels in the place of its batch: it is thrown in the caller's thread, and when its turn comes.
    slot.error = std::current_exception();
  }
  return slot;
}

void Loader::work() {
  // The first question in a thread gives it the process's number, which must not come after the limit and undo it.
  at::get_num_threads();
  at::set_num_threads(1);
  std::unique_lock lock(mutex_);
  ++threads_ready_;
  changed_.notify_all();
  while (true) {
    // Batches are claimed in order and may be finished out of order; `ready_` is keyed by position, so they leave in
    // order. At most queue_depth positions from next_out_ on are ready or in the making, which bounds the memory.
    changed_.wait(lock, [this] { return stop_ || next_to_build_ < next_out_ + queue_depth_; });
    if (stop_) return;
    const std::int64_t position = next_to_build_++;
    const std::int64_t generation = generation_;
    lock.unlock();
    Slot slot = build(position);
    lock.lock();
    // A jump came while this batch was built without the lock: it belongs to the old place and must not be found at
    // the new.
    if (generation != generation_) continue;
    ready_.emplace(position, std::move(slot));
    changed_.notify_all();
  }
}

std::optional<Batch> Loader::next() {
  if (index_ == steps_per_epoch_) return std::nullopt;
  Slot slot;
  if (threads_.empty()) {
    slot = build(next_out_++);
  } else {
    std::unique_lock lock(mutex_);
    // The wait ends: the position lies inside the window, so a thread has claimed it or will.
    changed_.wait(lock, [this] { return ready_.count(next_out_) > 0; });
    slot = std::move(ready_.extract(next_out_++).mapped());
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
      ready_.clear();
      ++generation_;
      next_out_ = next_to_build_ = position;
    }
  }
  changed_.notify_all();
  epoch_ = epoch;
  index_ = first_index;
}

}  // namespace negatron
