// What somebody brings who has data and an encoder of another kind: one file each, one line each to make it known
// (here for a test only), and everything else goes on as with the kinds that are there.

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/measured_normalization.h"
#include "runtime/data/registry.h"
#include "runtime/run/pretrain_data.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/mean_colours.h"
#include "tests/runtime/run/ppm_folder.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kPictures = 40;
constexpr std::int64_t kTenSteps = 10;

/// Pictures of differing sizes, of one of four colours each, with noise.
void write_pictures(const std::filesystem::path& folder, bool with_labels) {
  for (std::int64_t i = 0; i < kPictures; ++i) {
    CounterRng random(3, Purpose::kEvaluation, 0, static_cast<std::uint64_t>(i));
    const std::int64_t width = 10 + i % 7, height = 9 + i % 5;
    std::ofstream file(folder / (std::to_string(i) + ".ppm"), std::ios::binary);
    file << "P6\n" << width << " " << height << "\n255\n";
    for (std::int64_t byte = 0; byte < 3 * width * height; ++byte) {
      const std::uint64_t colour = byte % 3 == i % 4 ? 150 : 40;
      file.put(static_cast<char>(colour + random.below(60)));
    }
    if (with_labels) std::ofstream(folder / "labels.txt", std::ios::app) << i % 4 << "\n";
  }
}

class OwnKinds : public ::testing::Test {
 protected:
  SmallStart start_of(const std::string& name, int ranks) {
    SmallStart start;
    start.options = small_options("info-nce");
    start.options.data.path = (folder_ / "pictures").string();
    start.options.holdout.count = 8;
    start.options.encoder.name = "mean-colours:cells=3";
    start.options.knn_k = 5;
    start.options.max_steps = kTenSteps;
    start.options.validate(ranks);
    start.ranks = ranks;
    start.run_directory = folder_ / name;
    start.precision = Precision::kFp64;
    start.data = load_pretrain_data(start.options, resolve_contrast(start.options));
    return start;
  }

  void write(bool with_labels) {
    std::filesystem::create_directories(folder_ / "pictures");
    write_pictures(folder_ / "pictures", with_labels);
  }

  TemporaryDirectory folder_;
  AddedImageSource source_{image_source_entry<PpmFolder>()};
  AddedBackbone encoder_{backbone_entry<MeanColours>()};
};

TEST_F(OwnKinds, TrainForTenStepsWithTheSameLossesOnAnyNumberOfRanks) {
  write(/*with_labels=*/true);
  std::vector<double> one;
  for (const int ranks : {1, 2, 3}) {
    const SmallStart start = start_of("run-" + std::to_string(ranks), ranks);
    const PretrainSummary summary = run(start);
    EXPECT_EQ(summary.steps_done, kTenSteps);
    EXPECT_GT(summary.raw_pixels, 0.5);
    EXPECT_GT(summary.trained, 0.5);
    const std::vector<double> losses = step_losses(start.run_directory);
    ASSERT_EQ(losses.size(), static_cast<std::size_t>(kTenSteps));
    if (ranks == 1) one = losses;
    for (std::size_t step = 0; step < losses.size(); ++step) {
      EXPECT_NEAR(losses[step], one[step], 1e-10 * std::abs(one[step])) << ranks << " ranks, step " << step;
    }
  }
  EXPECT_GT(std::abs(one.front() - one.back()), 1e-3);
}

TEST_F(OwnKinds, GoIntoASnapshotAndComeOutOfIt) {
  write(/*with_labels=*/true);
  SmallStart start = start_of("run", 2);
  start.options.max_steps = 4;
  run(start);
  start.resume = "auto";
  start.options.max_steps = kTenSteps;
  EXPECT_EQ(run(start).steps_done, kTenSteps);
  const SmallStart whole = start_of("whole", 2);
  run(whole);
  const Saved resumed = newest_saved(start.run_directory), through = newest_saved(whole.run_directory);
  ASSERT_EQ(resumed.trainer.tensors.size(), through.trainer.tensors.size());
  bool has_shift = false;
  for (std::size_t i = 0; i < resumed.trainer.tensors.size(); ++i) {
    const auto& [name, tensor] = resumed.trainer.tensors[i];
    has_shift = has_shift || name == "encoder.backbone.shift";
    EXPECT_TRUE(at::equal(tensor, through.trainer.tensors[i].second)) << name;
  }
  EXPECT_TRUE(has_shift);
}

TEST_F(OwnKinds, TrainWithoutLabelsAndMeasureNoAccuracy) {
  write(/*with_labels=*/false);
  const SmallStart start = start_of("run", 2);
  const PretrainSummary summary = run(start);
  EXPECT_EQ(summary.steps_done, kTenSteps);
  EXPECT_TRUE(std::isnan(summary.raw_pixels));
  EXPECT_TRUE(std::isnan(summary.trained));
  const std::vector<nlohmann::json> evaluations = metrics_lines(start.run_directory, "evaluation");
  ASSERT_FALSE(evaluations.empty());
  for (const nlohmann::json& line : evaluations) {
    EXPECT_TRUE(line.at("knn").is_null());
    EXPECT_TRUE(line.at("alignment").is_number());
  }
}

std::string refusal_with(PretrainOptions options, const std::function<void(PretrainOptions&)>& change) {
  change(options);
  return refusal_of(options);
}

TEST_F(OwnKinds, AreRefusedWhatTheyHaveNot) {
  write(/*with_labels=*/false);
  const PretrainOptions options = start_of("run", 1).options;
  EXPECT_EQ(refusal_with(options, [](auto&) {}), "accepted");
  EXPECT_EQ(refusal_with(options, [](auto& o) { o.sampler = "oracle", o.allow_oracle = true; }),
            "--sampler oracle needs labels: data with labels, or another --sampler.");
  EXPECT_EQ(refusal_with(options, [](auto& o) { o.objective = "supcon"; }),
            "--objective supcon needs labels: data with labels, or another --objective.");
  EXPECT_EQ(refusal_with(options, [](auto& o) { o.holdout.count = 0; }), "accepted");
  const std::string wrong_kind = refusal_with(options, [](auto& o) { o.data.kind = "cifar"; });
  EXPECT_NE(wrong_kind.find("data_batch_1.bin"), std::string::npos) << wrong_kind;
  EXPECT_EQ(refusal_with(options, [](auto& o) { o.encoder.norm = "batch"; }),
            "--encoder-norm: mean-colours has no norm.");
}

TEST_F(OwnKinds, PutTheNextImageInThePlaceOfABrokenOne) {
  write(/*with_labels=*/true);
  std::filesystem::resize_file(folder_ / "pictures" / "3.ppm", 60);
  std::vector<double> one;
  for (const int ranks : {1, 2, 3}) {
    SmallStart start = start_of("run-" + std::to_string(ranks), ranks);
    start.options.evaluate_every = 0;
    EXPECT_EQ(run(start).steps_done, kTenSteps);
    const std::vector<double> losses = step_losses(start.run_directory);
    if (ranks == 1) one = losses;
    ASSERT_EQ(losses.size(), one.size());
    for (std::size_t step = 0; step < losses.size(); ++step) {
      EXPECT_NEAR(losses[step], one[step], 1e-10 * std::abs(one[step])) << ranks << " ranks, step " << step;
    }
  }
  PretrainOptions stopping = start_of("stops", 1).options;
  stopping.skips_bad_images = false;
  stopping.holdout.count = 0;
  EXPECT_THROW(measured_normalization(*load_pretrain_data(stopping, resolve_contrast(stopping)).train), DataError);
}

TEST_F(OwnKinds, NeedNoTestPart) {
  write(/*with_labels=*/true);
  SmallStart start = start_of("run", 2);
  start.options.holdout.count = 0;
  start.data = load_pretrain_data(start.options, resolve_contrast(start.options));
  EXPECT_EQ(start.data.test, nullptr);
  ASSERT_EQ(start.data.remarks.size(), 1U);
  EXPECT_NE(start.data.remarks.front().find("no test part"), std::string::npos);
  EXPECT_TRUE(std::isnan(run(start).trained));
  const std::vector<nlohmann::json> evaluations = metrics_lines(start.run_directory, "evaluation");
  ASSERT_FALSE(evaluations.empty());
  EXPECT_TRUE(evaluations.back().at("knn").is_null());
  EXPECT_TRUE(evaluations.back().at("uniformity").is_number());
}

TEST_F(OwnKinds, AreEvaluatedOnOtherDataIfAskedFor) {
  write(/*with_labels=*/true);
  SmallStart start = start_of("run", 2);
  start.options.holdout.count = 0;
  start.options.eval_data = start.options.data.path;
  start.data = load_pretrain_data(start.options, resolve_contrast(start.options));
  EXPECT_EQ(start.data.train->size(), kPictures);
  EXPECT_EQ(start.data.test->size(), kPictures);
  EXPECT_GT(run(start).trained, 0.5);
  start.options.holdout.count = 8;
  EXPECT_THROW(start.options.validate(1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
