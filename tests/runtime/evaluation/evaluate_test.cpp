#include <cmath>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/evaluation/evaluate_views.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kCheckedEvaluation{.check = true};

/// Two classes that differ in where the picture is bright, some of the labels wrong.
ImagesInMemory noisy_dataset(std::int64_t count, std::uint64_t seed) {
  at::manual_seed(seed);
  const at::Tensor labels = at::randint(0, 2, {count}, at::kLong);
  at::Tensor images = at::randint(0, 200, {count, 1, 8, 8}, at::kLong);
  const at::Tensor top = labels.view({-1, 1, 1, 1});
  images.slice(2, 0, 4) += top * 55;
  images.slice(2, 4, 8) += (1 - top) * 55;
  const at::Tensor wrong = at::rand({count}).lt(0.2);
  return ImagesInMemory(images.to(at::kByte), at::where(wrong, 1 - labels, labels));
}

/// Bytes / 255 in the size of noisy_dataset().
const ViewFormat kPlain{{8, 8}, {}};

TEST(EvaluateKnn, IsTheSameOnAnyNumberOfRanksAndWithinLimits) {
  const ImagesInMemory train = noisy_dataset(400, 1), test = noisy_dataset(101, 2);
  for (const bool limited : {false, true}) {
    KnnEvaluationOptions options;
    options.format = kPlain;
    options.knn.k = 9;
    if (limited) options.index_count = 150, options.query_count = 3;
    double single = 0.0;
    for (const int ranks : {1, 2, 3, 4}) {  // three queries: a rank without any at 4
      run_ranks(ranks, kCheckedEvaluation, [&](Communicator& comm) {
        at::set_num_threads(1);
        const double accuracy = evaluate_knn(comm, pixels_as_features, train, test, options);
        if (ranks == 1) single = accuracy;
        EXPECT_EQ(accuracy, single) << ranks;
      });
    }
    if (limited) {
      EXPECT_NEAR(std::remainder(single * 3, 1.0), 0.0, 1e-9);
    } else {
      EXPECT_GT(single, 0.6);
      EXPECT_LT(single, 1.0);
    }
  }
}

TEST(EvaluateKnn, SeedChoosesTheSamples) {
  const ImagesInMemory train = noisy_dataset(400, 1), test = noisy_dataset(300, 2);
  run_ranks(1, {}, [&](Communicator& comm) {
    std::vector<at::Tensor> seen;
    const FeatureFunction record = [&](const at::Tensor& views) {
      seen.push_back(views);
      return pixels_as_features(views);
    };
    KnnEvaluationOptions options;
    options.format = kPlain;
    options.index_count = 50;
    options.query_count = 20;
    evaluate_knn(comm, record, train, test, options);
    evaluate_knn(comm, record, train, test, options);
    options.seed = 1;
    evaluate_knn(comm, record, train, test, options);
    EXPECT_EQ(seen[0].size(0), 50);
    EXPECT_EQ(seen[1].size(0), 20);
    EXPECT_TRUE(seen[0].equal(seen[2]));
    EXPECT_TRUE(seen[1].equal(seen[3]));
    EXPECT_FALSE(seen[1].equal(seen[5]));
    options.index_count = -1;
    EXPECT_THROW(evaluate_knn(comm, record, train, test, options), std::invalid_argument);
  });
}

TEST(EvaluateViews, IsTheSameOnAnyNumberOfRanks) {
  const ImagesInMemory dataset = noisy_dataset(40, 1);
  ViewEvaluationOptions options;
  options.count = 3;
  options.batch = 2;
  options.format = kPlain;
  options.augmentation.crop_area_min = 0.5;
  const FeatureFunction flatten = [](const at::Tensor& views) { return views.flatten(1); };
  ViewQuality single;
  for (const int ranks : {1, 2, 4}) {
    run_ranks(ranks, kCheckedEvaluation, [&](Communicator& comm) {
      const ViewQuality quality = evaluate_views(comm, flatten, dataset, options);
      if (ranks == 1) single = quality;
      EXPECT_NEAR(quality.alignment, single.alignment, 1e-6);
      EXPECT_NEAR(quality.uniformity, single.uniformity, 1e-6);
    });
  }
  EXPECT_GT(single.alignment, 0.0);
  EXPECT_LT(single.uniformity, 0.0);
  options.augmentation.crop_area_min = options.augmentation.crop_aspect_min = options.augmentation.crop_aspect_max = 1;
  options.augmentation.flip_probability = options.augmentation.jitter_probability = 0;
  run_ranks(1, kCheckedEvaluation, [&](Communicator& comm) {
    EXPECT_NEAR(evaluate_views(comm, flatten, dataset, options).alignment, 0.0, 1e-9);
  });
}

TEST(EvaluateKnn, NeedsLabels) {
  const ImagesInMemory train = noisy_dataset(20, 1);
  const ImagesInMemory unlabelled(train.images());
  KnnEvaluationOptions options;
  options.format = kPlain;
  run_ranks(1, {}, [&](Communicator& comm) {
    EXPECT_THROW(evaluate_knn(comm, pixels_as_features, train, unlabelled, options), std::invalid_argument);
    EXPECT_THROW(evaluate_knn(comm, pixels_as_features, unlabelled, train, options), std::invalid_argument);
  });
}

TEST(Features, AreUnitRowsOfEveryImageInOrder) {
  const ImagesInMemory source = noisy_dataset(7, 3);
  const at::Tensor ids = at::arange(7, at::kLong);
  const ViewFormat format{{8, 8}, {0.5, 0.25}};
  std::vector<std::int64_t> batches;
  const FeatureFunction function = [&](const at::Tensor& batch) {
    batches.push_back(batch.size(0));
    EXPECT_EQ(batch.scalar_type(), at::kFloat);
    EXPECT_FALSE(at::GradMode::is_enabled());
    return batch.flatten(1).to(at::kBFloat16).to(at::kDouble);
  };
  const at::Tensor rows = extract_features(function, source, ids, format, 3);
  EXPECT_EQ(batches, (std::vector<std::int64_t>{3, 3, 1}));
  EXPECT_EQ(rows.scalar_type(), at::kFloat);
  EXPECT_LT((rows.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  const at::Tensor expected = format.normalization.apply(source.images()).flatten(1);
  EXPECT_LT((rows - expected / expected.norm(2, 1, true)).abs().max().item<double>(), 5e-3);
  EXPECT_THROW(extract_features(function, source, ids, format, 0), std::invalid_argument);
  const at::Tensor pixels = extract_features(pixels_as_features, source, ids, format, 3);
  EXPECT_LT((pixels - expected / expected.norm(2, 1, true)).abs().max().item<double>(), 1e-6);
  const ImagesInMemory black(at::zeros({2, 1, 8, 8}, at::kByte));
  const at::Tensor zeros = extract_features(pixels_as_features, black, ids.slice(0, 0, 2), kPlain, 3);
  EXPECT_FALSE(zeros.isnan().any().item<bool>());
}

}  // namespace
}  // namespace negatron::testing
