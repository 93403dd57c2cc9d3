// A run that resumes on other data: it says what of the snapshot does not mean the same any more.

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/data/sources/images_in_memory.h"
#include "runtime/run/data_identity.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

PretrainData both_parts(const at::Tensor& images, const at::Tensor& labels) {
  const auto source = std::make_shared<const ImagesInMemory>(images, labels);
  return {source, source, {}};
}

class OtherData : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto source = rectangles();
    images_ = source->load(at::arange(source->size(), at::kLong)).together();
    labels_ = source->labels();
    start_.options = resumed_options("info-nce");
    start_.options.evaluate_every = 0;
    start_.data = both_parts(images_, labels_);
    start_.run_directory = folder_ / "run";
    run_first_part(start_);
  }

  /// What a start from the first one's snapshot says, and how it ends.
  std::string said_with(const PretrainData& data, const std::function<void(SmallStart&)>& change = {}) {
    SmallStart start = start_;
    start.data = data;
    start.resume = newest_path(start_.run_directory).string();
    start.options.max_steps = kInterrupted + 1;
    start.run_directory = folder_ / "resumed";
    std::filesystem::remove_all(start.run_directory);
    std::string said;
    start.said = &said;
    if (change) change(start);
    summary_ = run(start);
    return said;
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  at::Tensor images_, labels_;
  TemporaryDirectory folder_;
  SmallStart start_;
  PretrainSummary summary_;
};

TEST_F(OtherData, IsNotTheSameData) {
  const std::string said = said_with(both_parts(images_.clone(), labels_.clone()));
  for (const char* part : {"--data", "labels", "bank", "normalised", "accuracies"})
    EXPECT_FALSE(has(said, part)) << said;
  EXPECT_FALSE(std::isnan(summary_.raw_pixels));
  EXPECT_FALSE(std::isnan(summary_.random_weights));
}

TEST_F(OtherData, SaysWhatMeansSomethingElse) {
  const std::string said = said_with(both_parts(images_ + 40, labels_.flip(0)));
  EXPECT_TRUE(has(said, "--data are not the images of the snapshot '")) << said;
  EXPECT_TRUE(has(said, "50 images whose pixels have the digest")) << said;
  // 71 rows in batches of 12.
  EXPECT_TRUE(has(said,
                  "sample numbers of the old images: masks by number (--mask-own-sample and the like) hide rows "
                  "of other images until all 71 are replaced, in 6 steps."))
      << said;
  EXPECT_TRUE(has(said, "rows keep the old labels until")) << said;
  EXPECT_TRUE(has(said, "Views stay normalised as those of the old images")) << said;
  EXPECT_TRUE(has(said, "random weights were measured on other data and are left out")) << said;
  EXPECT_TRUE(std::isnan(summary_.raw_pixels));
  EXPECT_TRUE(std::isnan(summary_.random_weights));
  EXPECT_FALSE(std::isnan(summary_.trained));
  // The next snapshot is of the new data, and has no accuracies of the old.
  const Saved next = newest_saved(folder_ / "resumed");
  EXPECT_EQ(next.trainer.numbers.count("knn_raw_pixels"), 0U);
  EXPECT_TRUE(has(next.trainer.text_of("data"), ImagesInMemory(images_ + 40).fingerprint()));
}

TEST_F(OtherData, MayDifferInPartsOnly) {
  std::string said = said_with(both_parts(images_, labels_.flip(0)));
  EXPECT_TRUE(has(said, "The labels are not those of the snapshot")) << said;
  EXPECT_TRUE(has(said, "rows keep the old labels")) << said;
  EXPECT_FALSE(has(said, "sample numbers")) << said;
  EXPECT_FALSE(has(said, "normalised")) << said;
  EXPECT_TRUE(std::isnan(summary_.random_weights));
  PretrainData evaluated = both_parts(images_, labels_);
  evaluated.test = std::make_shared<const ImagesInMemory>(images_ + 40, labels_);
  said = said_with(evaluated);
  EXPECT_FALSE(has(said, "bank")) << said;
  EXPECT_TRUE(has(said, "are left out")) << said;
  EXPECT_TRUE(std::isnan(summary_.raw_pixels));
  said = said_with(both_parts(images_ + 40, labels_),
                   [](SmallStart& start) { start.options.normalization = Normalization(0.5, 0.25); });
  EXPECT_FALSE(has(said, "normalised")) << said;
}

TEST_F(OtherData, IsToldToARunThatStartsFromABank) {
  const auto from_bank = [](SmallStart& start) { start.bank = std::exchange(start.resume, std::string()); };
  EXPECT_FALSE(has(said_with(both_parts(images_, labels_), from_bank), "bank's rows"));
  const std::string said = said_with(both_parts(images_ + 40, labels_), from_bank);
  EXPECT_TRUE(has(said, "sample numbers of the old images")) << said;
  EXPECT_FALSE(has(said, "left out")) << said;
}

TEST_F(OtherData, MakesRowsThePositivesOfOtherImages) {
  for (const BankKind kind : {BankKind::kMemory, BankKind::kParametric}) {
    std::filesystem::remove_all(start_.run_directory);
    start_.options = with_rows_of(kind, resumed_options("info-nce"));
    start_.options.evaluate_every = 0;
    run_first_part(start_);
    const std::string said = said_with(both_parts(images_ + 40, labels_));
    const bool learns = kind == BankKind::kParametric;
    EXPECT_TRUE(
        has(said, std::string("The bank's rows are those of the old images with the same numbers, which are the "
                              "positives of other images") +
                      (learns ? ": training begins with them." : " until all 50 are replaced, in 5 steps.")))
        << said;
    EXPECT_FALSE(has(said, "masks by number")) << said;
  }
}

TEST(DataIdentity, ReadsBackAndIsNothingInOldSnapshots) {
  const DataIdentity identity{"5 images", "", "3 images with unknown ones"};
  EXPECT_EQ(parse_identity(identity_text(identity)), identity);
  EXPECT_EQ(parse_identity(""), std::nullopt);
  EXPECT_EQ(parse_identity("5 images\n"), std::nullopt);
}

}  // namespace
}  // namespace negatron::testing
