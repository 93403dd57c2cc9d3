// Batches that follow a plan: their order, and samples that were mined for each.

#include <stdexcept>

#include <gtest/gtest.h>

#include "runtime/data/loader.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kPlanned = 23;
constexpr std::int64_t kPlannedBatch = 6;  // 4 steps an epoch, the last one of 5 samples

std::shared_ptr<const ImageSource> planned_images() {
  const at::Tensor images =
      at::arange(kPlanned * 64, at::kLong).remainder_(251).to(at::kByte).view({kPlanned, 1, 8, 8});
  return std::make_shared<const ImagesInMemory>(images, at::arange(kPlanned, at::kLong).remainder(4));
}

LoaderOptions planned_loading(int threads, std::int64_t mined, int rank = 0, int ranks = 1) {
  LoaderOptions options;
  options.batches.global_batch = kPlannedBatch;
  options.batches.seed = 3;
  options.batches.mined = mined;
  options.batches.rank = rank;
  options.batches.ranks = ranks;
  options.threads = threads;
  options.planned = true;
  return options;
}

/// Sample s has s + 1, s + 2, s + 3 in a ring.
at::Tensor ring_of_mined() {
  const at::Tensor samples = at::arange(kPlanned, at::kLong).unsqueeze(1);
  return (samples + at::arange(1, 4, at::kLong)).remainder(kPlanned);
}

TEST(BatchPlan, GivesEachSampleWhatWasMinedForItInTurn) {
  const auto images = planned_images();
  BatchSource plain(images, planned_loading(0, 0).batches);
  for (const int ranks : {1, 3}) {
    for (const std::int64_t epoch : {0, 1, 2}) {
      for (int rank = 0; rank < ranks; ++rank) {
        BatchSource source(images, planned_loading(0, 2, rank, ranks).batches);
        source.plan({{}, ring_of_mined()});
        const Batch batch = source.build(epoch, 3);
        ASSERT_EQ(batch.mined_views.size(), 2U);
        for (std::int64_t i = 0; i < 2; ++i) {
          const std::int64_t distance = 1 + (2 * epoch + i) % 3;
          const at::Tensor expected = (batch.ids + distance).remainder(kPlanned);
          EXPECT_TRUE(batch.mined_ids.select(1, i).equal(expected)) << "epoch " << epoch;
          EXPECT_TRUE(batch.mined_labels.select(1, i).equal(expected.remainder(4)));
          // Its views are its own second ones of that epoch.
          for (std::int64_t row = 0; row < batch.ids.size(0); ++row) {
            at::Tensor own;
            for (std::int64_t index = 0; index < 4 && !own.defined(); ++index) {
              const Batch turn = plain.build(epoch, index);
              const at::Tensor at_row = (turn.ids == expected[row]).nonzero();
              if (at_row.numel() > 0) own = turn.view_b[at_row.item<std::int64_t>()];
            }
            EXPECT_TRUE(batch.mined_views[static_cast<std::size_t>(i)][row].equal(own));
          }
        }
      }
    }
  }
}

TEST(BatchPlan, DecidesTheOrderOfTheEpoch) {
  BatchSource source(planned_images(), planned_loading(0, 0).batches);
  const at::Tensor order = at::arange(kPlanned - 1, -1, -1, at::kLong);
  source.plan({order, {}});
  EXPECT_TRUE(source.build(0, 0).ids.equal(order.narrow(0, 0, kPlannedBatch)));
  EXPECT_TRUE(source.build(0, 3).ids.equal(order.narrow(0, 18, 5)));
}

TEST(BatchPlan, MustBeOfAllSamplesAndNameEnough) {
  BatchSource source(planned_images(), planned_loading(0, 4).batches);
  EXPECT_THROW(source.build(0, 0), std::logic_error);
  EXPECT_THROW(source.plan({{}, ring_of_mined()}), std::invalid_argument);
  EXPECT_THROW(source.plan({{}, {}}), std::invalid_argument);
  BatchSource ordered(planned_images(), planned_loading(0, 0).batches);
  EXPECT_THROW(ordered.plan({at::arange(kPlanned + 1, at::kLong), {}}), std::invalid_argument);
}

TEST(PlannedLoader, BeginsNothingBeyondItsPlan) {
  for (const int threads : {0, 2}) {
    Loader loader(planned_images(), planned_loading(threads, 1));
    EXPECT_THROW(loader.next(), std::logic_error);
    const at::Tensor mined = ring_of_mined();
    loader.plan({{}, mined}, 2);
    EXPECT_TRUE(loader.next()->mined_ids.defined());
    const std::optional<Batch> second = loader.next();
    EXPECT_TRUE(second->mined_ids.equal((second->ids.unsqueeze(1) + 1).remainder(kPlanned)));
    EXPECT_THROW(loader.next(), std::logic_error);
    // Of a newer plan: batches behind it were not made before.
    loader.plan({{}, mined.flip({1})}, 6);
    for (int step = 2; step < 4; ++step) {
      const std::optional<Batch> batch = loader.next();
      EXPECT_TRUE(batch->mined_ids.equal((batch->ids.unsqueeze(1) + 3).remainder(kPlanned))) << threads << " threads";
    }
    EXPECT_FALSE(loader.next());
    loader.start_epoch(1);
    EXPECT_EQ(loader.next()->epoch, 1);
    // A jump gives up what was planned.
    loader.start_epoch(5, 2);
    EXPECT_THROW(loader.next(), std::logic_error);
    loader.plan({{}, mined}, 100);
    EXPECT_EQ(loader.next()->epoch, 5);
  }
}

}  // namespace
}  // namespace negatron::testing
