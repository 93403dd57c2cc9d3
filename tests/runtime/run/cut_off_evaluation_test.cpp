// Evaluations that a run is told to leave: what is lost is the evaluation, and the run that goes on makes it again.

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "runtime/data/image_source.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

SmallStart small_start() {
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.options.epochs = 2;
  start.options.evaluate_every = 1;
  start.options.snapshots.every = parse_snapshot_interval("never");
  return start;
}

std::vector<nlohmann::json> evaluations(const std::filesystem::path& run_directory) {
  std::vector<nlohmann::json> lines;
  for (const nlohmann::json& line : metrics_lines(run_directory)) {
    if (line.value("event", "step") == "evaluation") lines.push_back(line);
  }
  return lines;
}

/// A start that hears of the signal in its first evaluation, because it has no step to do before.
PretrainSummary signalled(SmallStart start) {
  start.signalled_rank = 1;
  start.resume = "auto";
  return run(start);
}

class CutOffEvaluation : public ::testing::Test {
 protected:
  void SetUp() override {
    start_.run_directory = folder_ / "whole";
    whole_ = run(start_);
    ASSERT_EQ(evaluations(start_.run_directory).size(), 4U) << "two baselines, one epoch, the end";
    expected_ = evaluations(start_.run_directory);
    start_.run_directory = folder_ / "parts";
  }

  /// The run that goes on ends as the one that never stopped did.
  void expect_same_end() {
    start_.resume = "auto";
    const PretrainSummary end = run(start_);
    EXPECT_EQ(end.end, RunEnd::kDone);
    EXPECT_EQ(end.trained, whole_.trained);
    EXPECT_EQ(end.raw_pixels, whole_.raw_pixels);
    EXPECT_EQ(end.random_weights, whole_.random_weights);
    EXPECT_EQ(evaluations(start_.run_directory), expected_);
    EXPECT_EQ(step_losses(start_.run_directory), step_losses(folder_ / "whole"));
  }

  TemporaryDirectory folder_;
  SmallStart start_ = small_start();
  PretrainSummary whole_;
  std::vector<nlohmann::json> expected_;
};

TEST_F(CutOffEvaluation, OfTheBaselinesLeavesBeforeTheFirstStep) {
  start_.signalled_rank = 1;
  const PretrainSummary cut = run(start_);
  start_.signalled_rank = -1;
  EXPECT_EQ(cut.end, RunEnd::kRequeue);
  EXPECT_TRUE(cut.saved);
  EXPECT_EQ(cut.steps_done, 0);
  EXPECT_EQ(newest_saved(start_.run_directory).step, 0);
  expect_same_end();
}

TEST_F(CutOffEvaluation, OfAnEpochIsMadeAgain) {
  SmallStart first = start_;
  first.options.max_steps = 5;
  // The end of this start, not of the epoch.
  first.options.snapshots.every = parse_snapshot_interval("5");
  EXPECT_EQ(run(first).steps_done, 5);
  const PretrainSummary cut = signalled(start_);
  EXPECT_EQ(cut.end, RunEnd::kRequeue);
  EXPECT_EQ(cut.steps_done, 5);
  expect_same_end();
}

TEST_F(CutOffEvaluation, OfTheEndIsMadeAgain) {
  SmallStart first = start_;
  first.options.snapshots.every = parse_snapshot_interval("100");
  EXPECT_EQ(run(first).steps_done, 10);
  const PretrainSummary cut = signalled(start_);
  EXPECT_EQ(cut.end, RunEnd::kRequeue);
  EXPECT_TRUE(cut.saved);
  EXPECT_EQ(cut.steps_done, 10);
  EXPECT_TRUE(std::isnan(cut.trained));
  EXPECT_EQ(evaluations(start_.run_directory).size(), 3U) << "one that was cut off is not written";
  expect_same_end();
}

/// Images of which none comes before a snapshot is there, or a while has passed.
class WaitingImages : public ImageSource {
 public:
  WaitingImages(std::shared_ptr<const ImageSource> images, std::filesystem::path snapshot)
      : images_(std::move(images)), snapshot_(std::move(snapshot)) {}

  std::int64_t size() const override { return images_->size(); }
  std::int64_t channels() const override { return images_->channels(); }
  ImageSize view_size() const override { return images_->view_size(); }
  at::Tensor labels() const override { return images_->labels(); }
  /// So that a batch is loaded at once.
  std::int64_t bytes_in_memory() const override { return images_->bytes_in_memory(); }
  DecodedImages load(const at::Tensor& ids) const override {
    constexpr int kLooks = 100;
    for (int look = 0; look < kLooks && !found_; ++look) {
      found_ = std::filesystem::exists(snapshot_);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return images_->load(ids);
  }
  bool found() const { return found_; }

 private:
  std::shared_ptr<const ImageSource> images_;
  std::filesystem::path snapshot_;
  mutable std::atomic<bool> found_ = false;
};

TEST(LastEvaluation, TheSnapshotBeforeItIsCommittedWhileItGoesOn) {
  const TemporaryDirectory folder;
  SmallStart start = small_start();
  start.run_directory = folder.path();
  start.options.baselines = false;
  start.options.evaluate_every = 0;
  start.options.snapshots.every = parse_snapshot_interval("100");
  const auto images =
      std::make_shared<const WaitingImages>(rectangles(), folder / ("snapshots/" + step_name(10) + "/manifest.json"));
  start.data.train = rectangles();
  start.data.test = images;
  EXPECT_EQ(run(start).end, RunEnd::kDone);
  EXPECT_TRUE(images->found()) << "a run that was killed in its last evaluation would have lost what it had written";
}

}  // namespace
}  // namespace negatron::testing
