#include "runtime/data/loader.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "runtime/data/orders/epoch_order.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron::testing {
namespace {

std::shared_ptr<const ImageSource> small_dataset(std::int64_t count) {
  const at::Tensor images = at::arange(count * 64, at::kLong).remainder_(249).to(at::kByte).view({count, 1, 8, 8});
  return std::make_shared<const ImagesInMemory>(images, at::arange(count, at::kLong).remainder_(10));
}

LoaderOptions options_of(std::int64_t global_batch, int rank = 0, int ranks = 1, int threads = 2) {
  LoaderOptions options;
  options.batches.global_batch = global_batch;
  options.batches.seed = 17;
  options.batches.rank = rank;
  options.batches.ranks = ranks;
  options.threads = threads;
  return options;
}

std::vector<Batch> epoch_of(Loader& loader) {
  std::vector<Batch> batches;
  while (std::optional<Batch> batch = loader.next()) batches.push_back(*std::move(batch));
  return batches;
}

Batch numbered(std::int64_t epoch, std::int64_t index) {
  Batch batch;
  batch.epoch = epoch;
  batch.index_in_epoch = index;
  return batch;
}

TEST(Loader, GivesTheSameSamplesAndViewsToAnyNumberOfRanks) {
  // 98 = 3 * 32 + 2: the last batch leaves ranks without samples at P = 3 and 4.
  const auto dataset = small_dataset(98);
  Loader single(dataset, options_of(32));
  const std::vector<Batch> whole = epoch_of(single);
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(single.steps_per_epoch(), 4);
  for (const int ranks : {2, 3, 4}) {
    std::vector<std::vector<Batch>> parts;
    for (int rank = 0; rank < ranks; ++rank) {
      Loader loader(dataset, options_of(32, rank, ranks));
      parts.push_back(epoch_of(loader));
      ASSERT_EQ(parts.back().size(), whole.size());
    }
    for (std::size_t step = 0; step < whole.size(); ++step) {
      std::vector<at::Tensor> ids, labels, views_a, views_b;
      for (const auto& part : parts) {
        ids.push_back(part[step].ids);
        labels.push_back(part[step].labels);
        views_a.push_back(part[step].view_a);
        views_b.push_back(part[step].view_b);
        EXPECT_EQ(part[step].global_size, whole[step].global_size);
      }
      EXPECT_TRUE(at::cat(ids).equal(whole[step].ids)) << "P " << ranks << " step " << step;
      EXPECT_TRUE(at::cat(labels).equal(whole[step].labels));
      EXPECT_TRUE(at::cat(views_a).equal(whole[step].view_a));
      EXPECT_TRUE(at::cat(views_b).equal(whole[step].view_b));
    }
    EXPECT_EQ(parts.back().back().ids.size(0), ranks == 2 ? 1 : 0);
  }
}

TEST(Loader, VisitsEverySampleOnceAndInTheOrderOfTheEpoch) {
  const auto dataset = small_dataset(98);
  Loader loader(dataset, options_of(32));
  for (const std::int64_t epoch : {0, 1}) {
    loader.start_epoch(epoch);
    std::vector<at::Tensor> ids;
    for (const Batch& batch : epoch_of(loader)) {
      EXPECT_EQ(batch.epoch, epoch);
      EXPECT_EQ(batch.index_in_epoch, static_cast<std::int64_t>(ids.size()));
      EXPECT_EQ(batch.global_size, batch.ids.size(0));
      EXPECT_TRUE(batch.labels.equal(batch.ids.remainder(10)));
      EXPECT_EQ(batch.view_a.sizes(), at::IntArrayRef({batch.ids.size(0), 1, 8, 8}));
      EXPECT_FALSE(batch.view_a.equal(batch.view_b));
      ids.push_back(batch.ids);
    }
    EXPECT_TRUE(at::cat(ids).equal(epoch_order(98, 17, epoch)));
  }
}

TEST(Loader, CountsItsSteps) {
  const auto steps = [](std::int64_t samples, std::int64_t batch, bool drop_last) {
    LoaderOptions options = options_of(batch, 0, 1, 0);
    options.batches.drop_last = drop_last;
    Loader loader(small_dataset(samples), options);
    EXPECT_EQ(static_cast<std::int64_t>(epoch_of(loader).size()), loader.steps_per_epoch());
    return loader.steps_per_epoch();
  };
  EXPECT_EQ(steps(96, 32, false), 3);
  EXPECT_EQ(steps(98, 32, false), 4);
  EXPECT_EQ(steps(98, 32, true), 3);
  EXPECT_EQ(steps(5, 32, false), 1);
  EXPECT_EQ(steps(5, 32, true), 1);
}

TEST(Loader, ResumesInsideAnEpoch) {
  const auto dataset = small_dataset(98);
  Loader whole(dataset, options_of(32));
  whole.start_epoch(2);
  const std::vector<Batch> expected = epoch_of(whole);
  LoaderOptions options = options_of(32);
  options.first_epoch = 2;
  options.first_index = 1;
  Loader resumed(dataset, options);
  const std::vector<Batch> rest = epoch_of(resumed);
  ASSERT_EQ(rest.size(), 3U);
  for (std::size_t i = 0; i < rest.size(); ++i) EXPECT_TRUE(rest[i].view_b.equal(expected[i + 1].view_b));
}

TEST(Loader, KeepsOrderWhateverThreadFinishesFirst) {
  const auto build = [](std::int64_t epoch, std::int64_t index) {
    std::this_thread::sleep_for(std::chrono::microseconds(index % 4 == 0 ? 3000 : 100));
    return numbered(epoch, index);
  };
  Loader loader(build, 40, options_of(1, 0, 1, 4));
  std::int64_t expected = 0;
  while (const auto batch = loader.next()) EXPECT_EQ(batch->index_in_epoch, expected++);
  EXPECT_EQ(expected, 40);
  EXPECT_FALSE(loader.next().has_value());
}

TEST(Loader, FinishesEachBatchOnceWhenItIsWhole) {
  const auto dataset = small_dataset(98);
  Loader plain(dataset, options_of(32, 3, 4));
  const std::vector<Batch> expected = epoch_of(plain);
  for (const int threads : {0, 3}) {
    // The last batch leaves this rank without samples, and is finished too.
    LoaderOptions options = options_of(32, 3, 4, threads);
    options.finish = [](Batch& batch) {
      batch.view_a = batch.view_a + 1.0;
      if (batch.epoch == 1 && batch.index_in_epoch == 2) throw std::runtime_error("not finished");
    };
    Loader loader(dataset, options);
    const std::vector<Batch> batches = epoch_of(loader);
    ASSERT_EQ(batches.size(), expected.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      EXPECT_TRUE(at::equal(batches[i].view_a, expected[i].view_a + 1.0)) << i << " with " << threads << " threads";
    }
    loader.start_epoch(1);
    EXPECT_EQ(loader.next()->index_in_epoch, 0);
    EXPECT_EQ(loader.next()->index_in_epoch, 1);
    EXPECT_THROW(loader.next(), std::runtime_error);
    EXPECT_EQ(loader.next()->index_in_epoch, 3);
  }
}

TEST(Loader, ThrowsWhatABackgroundThreadThrewInItsPlace) {
  for (const int threads : {0, 1, 3}) {
    const auto build = [](std::int64_t epoch, std::int64_t index) {
      if (index == 2) throw std::runtime_error("sample 42 is damaged");
      return numbered(epoch, index);
    };
    Loader loader(build, 4, options_of(1, 0, 1, threads));
    EXPECT_EQ(loader.next()->index_in_epoch, 0);
    EXPECT_EQ(loader.next()->index_in_epoch, 1);
    try {
      loader.next();
      ADD_FAILURE() << "no exception with " << threads << " threads";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "sample 42 is damaged");
    }
    EXPECT_EQ(loader.next()->index_in_epoch, 3);
    EXPECT_FALSE(loader.next().has_value());
  }
}

TEST(Loader, BuildsNoFurtherAheadThanItsQueueAndStopsWhileFull) {
  std::atomic<int> built = 0;
  {
    LoaderOptions options = options_of(1, 0, 1, 3);
    options.queue_depth = 5;
    Loader loader(
        [&](std::int64_t epoch, std::int64_t index) {
          ++built;
          return numbered(epoch, index);
        },
        1000, options);
    while (built < 5) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(built, 5);
    EXPECT_EQ(loader.next()->index_in_epoch, 0);
    while (built < 6) std::this_thread::yield();
  }
  EXPECT_EQ(built, 6);
}

TEST(Loader, GoesOnToTheNextEpochWithoutBuildingTwiceAndDropsAJump) {
  std::mutex mutex;
  std::map<std::int64_t, int> built;
  const auto build = [&](std::int64_t epoch, std::int64_t index) {
    const std::lock_guard lock(mutex);
    ++built[epoch * 3 + index];
    return numbered(epoch, index);
  };
  Loader loader(build, 3, options_of(1, 0, 1, 2));
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    loader.start_epoch(epoch);
    EXPECT_EQ(epoch_of(loader).size(), 3U);
  }
  {
    const std::lock_guard lock(mutex);
    for (const auto& [position, count] : built) EXPECT_EQ(count, 1) << position;
  }
  loader.start_epoch(20, 1);
  const auto batch = loader.next();
  EXPECT_EQ(batch->epoch, 20);
  EXPECT_EQ(batch->index_in_epoch, 1);
  loader.start_epoch(0);
  EXPECT_EQ(loader.next()->epoch, 0);
}

TEST(Loader, RunsAtenSingleThreadedInTheBackgroundOnly) {
  at::set_num_threads(3);
  std::atomic<int> inside = 0;
  Loader loader(
      [&](std::int64_t epoch, std::int64_t index) {
        inside = at::get_num_threads();
        return numbered(epoch, index);
      },
      4, options_of(1));
  loader.next();
  EXPECT_EQ(inside, 1);
  EXPECT_EQ(at::get_num_threads(), 3);
  // Nor may threads that the caller starts later inherit the background's limit.
  int later = 0;
  std::thread([&] { later = at::get_num_threads(); }).join();
  EXPECT_EQ(later, 3);
  at::set_num_threads(1);
}

TEST(Loader, RefusesWrongOptions) {
  const auto refuse = [](const std::function<void(LoaderOptions&)>& change) {
    LoaderOptions options = options_of(4);
    change(options);
    EXPECT_THROW(Loader(small_dataset(8), options), std::invalid_argument);
  };
  refuse([](auto& o) { o.batches.global_batch = 0; });
  refuse([](auto& o) { o.batches.rank = 1; });
  refuse([](auto& o) { o.threads = -1; });
  refuse([](auto& o) { o.queue_depth = 0; });
  refuse([](auto& o) { o.first_epoch = -1; });
  refuse([](auto& o) { o.first_index = 3; });
  refuse([](auto& o) { o.batches.augmentation.flip_probability = 2; });
  refuse([](auto& o) { o.batches.format.normalization = {0.0, 0.0}; });
  refuse([](auto& o) { o.batches.format.size = {8, 0}; });
  EXPECT_THROW(Loader(small_dataset(0), options_of(4)), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
