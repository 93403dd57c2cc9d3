#include "runtime/evaluation/feature_rounds.h"

#include <mutex>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "comm/together.h"
#include "runtime/data/data_error.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/evaluation/score_features.h"

namespace negatron::testing {
namespace {

ImagesInMemory numbered_images(std::int64_t count) {
  const at::Tensor images = at::arange(count * 16, at::kLong).remainder(251).to(at::kByte).view({count, 1, 4, 4});
  return ImagesInMemory(images, at::arange(count, at::kLong).remainder(3));
}

FeatureRounds::Options options_of(std::int64_t batch) {
  FeatureRounds::Options options;
  options.format = {{4, 4}, {0.5, 0.25}};
  options.batch = batch;
  return options;
}

TEST(FeatureRounds, AreTheRowsOfAllImagesInOrderOnAnyNumberOfRanks) {
  const ImagesInMemory source = numbered_images(23);
  const at::Tensor expected = options_of(1).format.normalization.apply(source.images()).flatten(1);
  for (const int ranks : {1, 2, 3, 4}) {
    run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      at::set_num_threads(1);
      FeatureRounds rounds(comm, comm, pixels_as_features, source, options_of(5));
      std::vector<at::Tensor> rows, ids, labels;
      while (!rounds.done()) {
        const FeatureRound round = rounds.next();
        rows.push_back(round.rows);
        ids.push_back(round.ids);
        labels.push_back(round.labels);
      }
      EXPECT_EQ(rows.size(), static_cast<std::size_t>((23 + 5 * ranks - 1) / (5 * ranks)));
      EXPECT_TRUE(at::equal(at::cat(rows), expected));
      EXPECT_TRUE(at::equal(at::cat(ids), at::arange(23, at::kLong)));
      EXPECT_TRUE(at::equal(at::cat(labels), source.labels()));
    });
  }
}

TEST(FeatureRounds, ThatFailOnOneRankEndOnAll) {
  const ImagesInMemory source = numbered_images(23);
  std::mutex mutex;
  int failed = 0;
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const FeatureFunction fails = [&](const at::Tensor& views) {
      if (comm.rank() == 1) throw DataError("An image is missing.");
      return pixels_as_features(views);
    };
    FeatureRounds rounds(comm, comm, fails, source, options_of(5));
    try {
      rounds.next();
    } catch (const FailedTogether& error) {
      EXPECT_EQ(std::string(error.what()), "rank 1: An image is missing.");
      const std::lock_guard lock(mutex);
      ++failed;
    }
  });
  EXPECT_EQ(failed, 3);
}

TEST(ScoreFeatures, IsTheNeighboursAccuracyToTheLastBitAndAProbe) {
  const ImagesInMemory source = numbered_images(60), test = numbered_images(31);
  ScoreOptions options;
  options.knn.format = {{4, 4}, {0.5, 0.25}};
  options.knn.knn.k = 7;
  for (const int ranks : {1, 3}) {
    run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const FeatureScore score = score_features(comm, pixels_as_features, source, test, options);
      EXPECT_EQ(score.knn, evaluate_knn(comm, pixels_as_features, source, test, options.knn));
      EXPECT_EQ(score.width, 16);
      EXPECT_TRUE(std::isnan(score.probe));
    });
  }
}

}  // namespace
}  // namespace negatron::testing
