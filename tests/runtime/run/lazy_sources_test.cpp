// A run from images that are read when they are needed: equal losses on any number of ranks, and from the same images
// however they are stored.

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/run/pretrain_data.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kImages = 40;
constexpr std::int64_t kSteps = 6;

/// Of differing sizes, of one of four colours.
at::Tensor coloured_image(std::int64_t number) {
  const at::Tensor noise = numbered_image(number, 3, 12 + number % 3, 14).div(8, "floor");
  noise[number % 3 == 2 ? 0 : number % 2].add_(120);
  return noise;
}

std::string path_of(std::int64_t number) {
  // In the order of a list and of an archive as in that of a folder.
  return (number < kImages / 2 ? "cats/" : "dogs/") + std::to_string(100 + number);
}

class LazySources : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string list;
    std::string archive;
    for (std::int64_t i = 0; i < kImages; ++i) {
      const std::string png = png_bytes(coloured_image(i)), label = i < kImages / 2 ? "0" : "1";
      write_png(folder_ / "images" / (path_of(i) + ".png"), coloured_image(i));
      list += "images/" + path_of(i) + ".png " + label + "\n";
      archive += tar_member(path_of(i) + ".png", png) + tar_member(path_of(i) + ".cls", label);
      if (i == kImages / 3) write_bytes(folder_ / "shard-0.tar", std::exchange(archive, std::string()));
    }
    write_bytes(folder_ / "shard-1.tar", archive);
    write_bytes(folder_ / "list.txt", list);
  }

  std::vector<double> losses(const std::string& data, int ranks) {
    SmallStart start;
    start.options = small_options("info-nce");
    start.options.data.path = (folder_ / data).string();
    start.options.data.view_side = 12;
    start.options.holdout.count = 8;
    start.options.knn_k = 5;
    start.options.max_steps = kSteps;
    start.options.evaluate_every = 0;
    start.options.loader_threads = ranks;
    start.options.validate(ranks);
    start.ranks = ranks;
    start.run_directory = folder_ / ("run-" + std::to_string(++runs_));
    start.precision = Precision::kFp64;
    start.data = load_pretrain_data(start.options, resolve_contrast(start.options));
    EXPECT_EQ(start.data.train->bytes_in_memory(), 0);
    EXPECT_EQ(run(start).steps_done, kSteps);
    return step_losses(start.run_directory);
  }

  TemporaryDirectory folder_;
  int runs_ = 0;
};

TEST_F(LazySources, GiveTheSameLossesOnAnyNumberOfRanks) {
  const std::vector<double> one = losses("images", 1);
  ASSERT_EQ(one.size(), static_cast<std::size_t>(kSteps));
  for (const int ranks : {2, 3}) {
    const std::vector<double> more = losses("images", ranks);
    ASSERT_EQ(more.size(), one.size());
    for (std::size_t step = 0; step < one.size(); ++step) {
      EXPECT_NEAR(more[step], one[step], 1e-10 * std::abs(one[step])) << ranks << " ranks, step " << step;
    }
  }
}

TEST_F(LazySources, GiveTheSameLossesFromFolderListAndArchives) {
  const std::vector<double> folder = losses("images", 2);
  EXPECT_EQ(losses("list.txt", 2), folder);
  EXPECT_EQ(losses("shard-{0..1}.tar", 2), folder);
}

TEST_F(LazySources, AreWithoutWhatIsBroken) {
  write_bytes(folder_ / "images" / (path_of(7) + ".png"), "");
  const std::vector<double> one = losses("images", 1), two = losses("images", 2);
  for (std::size_t step = 0; step < one.size(); ++step) EXPECT_NEAR(two[step], one[step], 1e-10 * std::abs(one[step]));
}

}  // namespace
}  // namespace negatron::testing
