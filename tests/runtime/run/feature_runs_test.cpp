// A run from features in the place of images: equal losses on any number of ranks, evaluated by kNN, and resumed.

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/run/pretrain_data.h"
#include "samplers/random/philox.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/sources/npy_bytes.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kRows = 61;
constexpr std::int64_t kWidth = 10;
constexpr std::int64_t kTrainedSteps = 9;

class FeatureRuns : public ::testing::Test {
 protected:
  /// Rows of three kinds, apart by more than their noise, in features of differing scales.
  void SetUp() override {
    at::Tensor features = at::empty({kRows, kWidth}, at::kDouble);
    CounterRng random(4, Purpose::kEvaluation, 0, 0);
    for (std::int64_t i = 0; i < kRows; ++i) {
      for (std::int64_t j = 0; j < kWidth; ++j) {
        features[i][j] = (random.normal() + (j % 3 == i % 3 ? 2.0 : 0.0)) * std::pow(10.0, static_cast<double>(j - 5));
      }
    }
    write_bytes(folder_ / "x.npy", npy_bytes(features));
    write_bytes(folder_ / "x.labels.npy", npy_bytes(at::arange(kRows, at::kLong).remainder(3)));
  }

  PretrainOptions options() const {
    PretrainOptions options = small_options("info-nce");
    options.data.path = (folder_ / "x.npy").string();
    options.encoder = {};
    options.encoder.name = "mlp:hidden=24";
    options.holdout.count = 12;
    options.knn_k = 5;
    options.max_steps = kTrainedSteps;
    options.evaluate_every = 0;
    options.learning_rate = 0.2;
    return options;
  }

  SmallStart start_of(const std::string& name, int ranks) const {
    SmallStart start;
    start.options = options();
    start.options.loader_threads = ranks;
    start.options.validate(ranks);
    start.ranks = ranks;
    start.run_directory = folder_ / name;
    start.precision = Precision::kFp64;
    start.data = load_pretrain_data(start.options, resolve_contrast(start.options));
    return start;
  }

  std::string refusal(const std::function<void(PretrainOptions&)>& change) const {
    PretrainOptions changed = options();
    change(changed);
    return refusal_of(changed);
  }

  TemporaryDirectory folder_;
};

TEST_F(FeatureRuns, GiveTheSameLossesAndAccuraciesOnAnyNumberOfRanks) {
  std::vector<double> one;
  PretrainSummary alone;
  for (const int ranks : {1, 2, 3}) {
    const SmallStart start = start_of("run-" + std::to_string(ranks), ranks);
    const PretrainSummary summary = run(start);
    EXPECT_EQ(summary.steps_done, kTrainedSteps);
    // Of three classes: 1 in 3 by chance.
    EXPECT_GT(summary.raw_pixels, 0.6);
    EXPECT_GT(summary.trained, 0.6);
    const std::vector<double> own = step_losses(start.run_directory);
    if (ranks == 1) one = own, alone = summary;
    EXPECT_EQ(summary.raw_pixels, alone.raw_pixels);
    ASSERT_EQ(own.size(), static_cast<std::size_t>(kTrainedSteps));
    for (std::size_t step = 0; step < own.size(); ++step) {
      EXPECT_NEAR(own[step], one[step], 1e-10 * std::abs(one[step])) << ranks << " ranks, step " << step;
    }
  }
  EXPECT_NE(one.back(), one.front());
  EXPECT_EQ(metrics_lines(folder_ / "run-1", "evaluation").at(0).at("subject"), "raw features");
}

TEST_F(FeatureRuns, GoOnFromASnapshotAsIfNothingHadHappened) {
  SmallStart start = start_of("run", 2);
  start.options.max_steps = 4;
  run(start);
  start.resume = "auto";
  start.options.max_steps = kTrainedSteps;
  run(start);
  const SmallStart whole = start_of("whole", 2);
  run(whole);
  EXPECT_EQ(step_losses(start.run_directory), step_losses(whole.run_directory));
  EXPECT_EQ(newest_saved(start.run_directory).trainer.text_of("normalization"),
            newest_saved(whole.run_directory).trainer.text_of("normalization"));
}

TEST_F(FeatureRuns, AreRefusedFlagsOfImages) {
  EXPECT_EQ(refusal([](auto&) {}), "accepted");
  EXPECT_EQ(refusal([](auto& o) { o.augmentation.feature_noise = 0.4; }), "accepted");
  const auto named = [&](const std::function<void(PretrainOptions&)>& change, const std::string& flag) {
    const std::string message = refusal(change);
    EXPECT_TRUE(message.starts_with(flag)) << message;
    EXPECT_NE(message.find("x.npy' holds features"), std::string::npos) << message;
  };
  named([](auto& o) { o.augmentation.crop_area_min = 0.5; }, "--crop-area-min is for images");
  named([](auto& o) { o.augmentation.hue = 0.1; }, "--hue is for images");
  named([](auto& o) { o.views_on_device = true; }, "--views-on device is for images");
  named([](auto& o) { o.augmentation.second_blur_probability = 0.1; }, "--second-blur is for images");
  named([](auto& o) { o.views = "simclr"; }, "--views simclr is for images");
  named([](auto& o) { o.encoder.name = "resnet18"; }, "--encoder resnet18 takes images");
  EXPECT_NE(refusal([](auto& o) { o.data.view_side = 32; }).find("--image-size are for images"), std::string::npos);
}

TEST_F(FeatureRuns, AreEvaluatedOnOtherFeaturesOfTheSameWidth) {
  const std::string other = (folder_ / "y.npy").string();
  const auto with_other = [&](auto& o) { o.holdout = {}, o.eval_data = other; };
  write_bytes(other, npy_bytes(at::ones({4, kWidth})));
  EXPECT_EQ(refusal(with_other), "accepted");
  write_bytes(other, npy_bytes(at::ones({4, kWidth + 1})));
  const std::string message = refusal(with_other);
  EXPECT_NE(message.find("there are 10 features a sample, of --eval-data"), std::string::npos) << message;
}

TEST_F(FeatureRuns, OfImagesAreRefusedFlagsOfFeatures) {
  write_bytes(folder_ / "train-images-idx3-ubyte", idx_bytes({30, 8, 8}, 30 * 64));
  const auto images = [&](auto& o) { o.data.path = folder_.path(), o.encoder.name = "conv"; };
  EXPECT_EQ(refusal(images), "accepted");
  const std::string message = refusal([&](auto& o) { images(o), o.augmentation.feature_dropout = 0.5; });
  EXPECT_TRUE(message.starts_with("--feature-dropout is for features")) << message;
}

}  // namespace
}  // namespace negatron::testing
