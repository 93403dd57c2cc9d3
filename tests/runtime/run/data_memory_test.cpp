#include "runtime/run/data_memory.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/loader.h"
#include "runtime/data/measured_normalization.h"
#include "runtime/data/source_part.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/evaluation/features.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

PretrainData blank_data(std::int64_t count) {
  PretrainData data;
  data.train = std::make_shared<const ImagesInMemory>(at::zeros({count, 1, 32, 32}, at::kByte));
  return data;
}

TEST(DataMemory, HoldsAsManyBatchesAsFitBesideTheImages) {
  PretrainOptions options;
  options.global_batch = 512;
  const PretrainData data = blank_data(1024);  // 1 MiB
  // Two views of 256 samples of 4 KiB each: 2 MiB.
  const auto batches = [&](std::int64_t bytes) {
    options.data_memory = bytes;
    const BatchQueue queue = batch_queue(options, data, {32, 32}, 2, 2);
    EXPECT_EQ(queue.batch_bytes, 2 * kMiB);
    return queue.batches;
  };
  EXPECT_EQ(batches(100 * kMiB), 4);
  EXPECT_EQ(batches(7 * kMiB), 3);
  EXPECT_EQ(batches(7 * kMiB - 1), 2);
  EXPECT_EQ(batches(1), 1);
  options.data_memory = kMiB;
  EXPECT_EQ(pixel_rows(options, data, {32, 32}), 256);
}

TEST(DataMemory, RefusesImagesThatTakeMore) {
  PretrainOptions options = small_options("info-nce");
  options.data_memory = kMiB;
  try {
    load_pretrain_data(options, resolve_contrast(options));
    FAIL() << "60,000 images in 1 MiB";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("more than the 1048576 of --data-memory"), std::string::npos)
        << error.what();
  }
}

/// What /proc/self/status says of this process in memory, in bytes: now (VmRSS), and at most since the last call of
/// forget_peak() (VmHWM).
std::int64_t resident(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stoll(line.substr(name.size())) * 1024;
  }
  return 0;
}

void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

class ManyListedImages : public ::testing::Test {
 protected:
  static constexpr std::int64_t kListed = 200'000;
  static constexpr std::int64_t kFiles = 16;
  static constexpr std::int64_t kMemory = 24 * kMiB;

  void SetUp() override {
    std::ostringstream list;
    for (std::int64_t i = 0; i < kFiles; ++i) {
      const at::Tensor image = numbered_image(i, 3, 240, 320 + 8 * i).div(64, "floor");
      write_png(folder_ / (std::to_string(i) + ".png"), image);
    }
    for (std::int64_t i = 0; i < kListed; ++i) list << i % kFiles << ".png " << i % 10 << "\n";
    write_bytes(folder_ / "list.txt", list.str());
    options_.data.path = (folder_ / "list.txt").string();
    options_.data.view_side = 64;
    options_.holdout.count = 1000;
    options_.global_batch = 64;
    options_.data_memory = kMemory;
  }

  /// What every part of a run does with images.
  void use(const PretrainData& data) const {
    LoaderOptions loader_options;
    loader_options.batches.global_batch = options_.global_batch;
    loader_options.batches.format = {{64, 64}, {0.5, 0.2}};
    loader_options.threads = 2;
    loader_options.queue_depth = batch_queue(options_, data, {64, 64}, 1, 2).batches;
    Loader loader(data.train, loader_options);
    for (int batch = 0; batch < 6; ++batch) loader.next();
    const auto means = [](const at::Tensor& views) { return views.mean({2, 3}); };
    extract_features(means, *data.test, at::arange(300, at::kLong), loader_options.batches.format, 100);
    measured_normalization(SourcePart(data.train, at::arange(600, at::kLong)));
  }

  TemporaryDirectory folder_;
  PretrainOptions options_ = small_options("info-nce");
};

TEST_F(ManyListedImages, TakeTheMemoryOfTheirIndexAndOfTheQueue) {
  forget_peak();
  const std::int64_t before = resident("VmRSS:");
  const PretrainData data = load_pretrain_data(options_, resolve_contrast(options_));
  EXPECT_EQ(data.train->size(), kListed - 1000);
  use(data);
  // What libraries, threads and allocators take the first time.
  constexpr std::int64_t kOther = 24 * kMiB;
  const std::int64_t growth = resident("VmHWM:") - before;
  RecordProperty("growth_MiB", std::to_string(growth / kMiB));
  // The data set is 50 GiB, and 500 of its images are 120 MiB.
  EXPECT_LT(growth, data.train->bytes_of_index() + kMemory + kOther);
}

}  // namespace
}  // namespace negatron::testing
