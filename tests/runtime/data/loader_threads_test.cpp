// Several threads of a loader at work on one batch.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "runtime/data/loader.h"
#include "runtime/data/orders/epoch_order.h"

namespace negatron::testing {
namespace {

constexpr std::uint64_t kSeed = 17;

LoaderOptions options_of_eight(int threads) {
  LoaderOptions options;
  options.batches.global_batch = 8;
  options.batches.seed = kSeed;
  options.threads = threads;
  return options;
}

/// Images whose loading ends only while two threads are at it.
class TwoAtATime : public ImageSource {
 public:
  std::int64_t size() const override { return 8; }
  std::int64_t channels() const override { return 3; }
  ImageSize view_size() const override { return {224, 224}; }
  DecodedImages load(const at::Tensor& ids) const override {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    met_ = changed_.wait_for(lock, std::chrono::seconds(20), [this] { return met_ || inside_ == 2; });
    --inside_;
    return at::zeros({ids.size(0), 3, 10, 10}, at::kByte);
  }
  bool met() const {
    // Threads of the loader are at the next batch already.
    const std::lock_guard lock(mutex_);
    return met_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int inside_ = 0;
  mutable bool met_ = false;
};

TEST(LoaderThreads, SeveralThreadsFillOneBatch) {
  const auto images = std::make_shared<const TwoAtATime>();
  LoaderOptions options = options_of_eight(2);
  options.queue_depth = 1;
  Loader loader(images, options);
  EXPECT_EQ(loader.next()->view_b.size(0), 8);
  EXPECT_TRUE(images->met());
}

/// Of which none from the one numbered `first_broken` on can be loaded.
class BrokenFrom : public TwoAtATime {
 public:
  explicit BrokenFrom(std::int64_t first_broken) : first_broken_(first_broken) {}
  DecodedImages load(const at::Tensor& ids) const override {
    const auto id = ids[0].item<std::int64_t>();
    if (id >= first_broken_) throw std::runtime_error("image " + std::to_string(id) + " is broken");
    return at::zeros({ids.size(0), 3, 10, 10}, at::kByte);
  }

 private:
  std::int64_t first_broken_;
};

TEST(LoaderThreads, OfSeveralErrorsInABatchThrowsTheFirst) {
  const at::Tensor order = epoch_order(8, kSeed, 0);
  std::string first;
  for (std::int64_t i = 7; i >= 0; --i) {
    const auto id = order[i].item<std::int64_t>();
    if (id >= 3) first = "image " + std::to_string(id) + " is broken";
  }
  for (const int threads : {0, 1, 4}) {
    Loader loader(std::make_shared<const BrokenFrom>(3), options_of_eight(threads));
    try {
      loader.next();
      ADD_FAILURE() << threads << " threads";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), first) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace negatron::testing
