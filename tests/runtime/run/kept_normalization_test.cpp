// What a run normalises views with is measured once: a snapshot brings it along, whatever the data are then.

#include <gtest/gtest.h>

#include "runtime/data/measured_normalization.h"
#include "runtime/data/normalization_text.h"
#include "runtime/data/sources/images_in_memory.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

class KeptNormalization : public ::testing::Test {
 protected:
  void SetUp() override {
    start_.options = resumed_options("info-nce");
    start_.options.baselines = false;
    start_.options.evaluate_every = 0;
    start_.run_directory = folder_ / "run";
  }

  /// The rectangles, brighter.
  static PretrainData other_data() {
    const auto source = rectangles();
    const at::Tensor ids = at::arange(source->size(), at::kLong);
    const auto brighter = std::make_shared<const ImagesInMemory>(source->load(ids).together() + 40, source->labels());
    return {brighter, brighter, {}};
  }

  /// Saved at once, without a step, in a directory of its own.
  std::string resumed_text(SmallStart start) const {
    start.resume = newest_path(start_.run_directory).string();
    start.options.max_steps = kInterrupted;
    start.run_directory = folder_ / "resumed";
    run(start);
    return newest_saved(start.run_directory).trainer.text_of("normalization");
  }

  TemporaryDirectory folder_;
  SmallStart start_;
};

TEST_F(KeptNormalization, IsThatOfTheImagesThatTheRunBeganWith) {
  run_first_part(start_);
  const std::string measured = normalization_text(measured_normalization(*rectangles()));
  EXPECT_EQ(newest_saved(start_.run_directory).trainer.text_of("normalization"), measured);
  SmallStart other = start_;
  other.data = other_data();
  EXPECT_NE(normalization_text(measured_normalization(*other.data.train)), measured);
  EXPECT_EQ(resumed_text(other), measured);
}

TEST_F(KeptNormalization, IsWhatTheFlagsSayWhereTheyDo) {
  start_.options.normalization = Normalization{0.5, 0.25};
  run_first_part(start_);
  EXPECT_EQ(newest_saved(start_.run_directory).trainer.text_of("normalization"), "0.5;0.25");
  SmallStart other = start_;
  other.options.normalization = Normalization{0.4, 0.2};
  EXPECT_EQ(resumed_text(other), "0.4;0.2");
  other.options.normalization.reset();
  std::filesystem::remove_all(folder_ / "resumed");
  EXPECT_EQ(resumed_text(other), "0.5;0.25");
}

TEST_F(KeptNormalization, OfOtherChannelsIsRefused) {
  start_.options.normalization = imagenet_normalization();
  const at::Tensor colours =
      at::arange(50L * 3 * 12 * 12, at::kLong).remainder(251).to(at::kByte).view({50, 3, 12, 12});
  start_.data.train = start_.data.test = std::make_shared<const ImagesInMemory>(colours, at::zeros({50}, at::kLong));
  run_first_part(start_);
  SmallStart grey = start_;
  grey.options.normalization.reset();
  grey.data = {};
  try {
    resumed_text(grey);
    FAIL() << "it was accepted";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("normalises images of 3 channels, the data have 1 (--data)."), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace negatron::testing
