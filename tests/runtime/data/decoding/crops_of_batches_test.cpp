// Batches of JPEG files, of which no more is decoded than their views need: the same however they are stored and
// shared, near to those of whole images, and without what is damaged wherever the damage is.

#include <set>

#include <gtest/gtest.h>

#include "runtime/data/batch_source.h"
#include "runtime/data/registry.h"
#include "runtime/data/sound_images.h"
#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/decoding/made_images.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kFiles = 12;
constexpr std::int64_t kCutFile = 7;

std::string text_of(const MadeFile& file) {
  return {file.begin(), file.end()};
}

MadeFile photograph(std::int64_t number) {
  JpegTraits traits;
  traits.quality = 90;
  traits.half_resolution = number % 2 == 0;
  traits.progressive = number % 5 == 4;
  traits.orientation = static_cast<int>(number % 9);
  const at::Tensor smooth = smooth_pixels(3, 90 + 40 * (number % 4), 120 + 30 * (number % 3));
  return make_jpeg(smooth.to(at::kInt).mul_(4 + number % 4).div_(8, "floor").to(at::kByte), traits);
}

class CropsOfBatches : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "images");
    std::string list, archive;
    for (std::int64_t i = 0; i < kFiles; ++i) {
      const std::string name = std::to_string(100 + i) + ".jpg", bytes = text_of(photograph(i));
      write_bytes(folder_ / "images" / name, bytes);
      list += "images/" + name + "\n";
      archive += tar_member(name, bytes);
    }
    write_bytes(folder_ / "list.txt", list);
    write_bytes(folder_ / "shard-0.tar", archive + tar_end());
  }

  std::shared_ptr<const ImageSource> open(const std::string& data) const {
    SourceOptions options;
    options.path = (folder_ / data).string();
    options.view_side = 32;
    return open_images(options);
  }

  static BatchOptions options_of(int rank, int ranks) {
    BatchOptions options;
    options.global_batch = kFiles;
    options.seed = 5;
    options.rank = rank;
    options.ranks = ranks;
    options.augmentation = view_recipe("moco-v2");
    options.format = {{32, 32}, {{0.5, 0.4, 0.3}, {0.2, 0.2, 0.2}}};
    return options;
  }

  Batch batch_of(const std::string& data) const { return BatchSource(open(data), options_of(0, 1)).build(2, 0); }

  TemporaryDirectory folder_;
};

TEST_F(CropsOfBatches, AreTheSameFromFolderListAndArchive) {
  const Batch folder = batch_of("images");
  for (const char* data : {"list.txt", "shard-0.tar"}) {
    const Batch other = batch_of(data);
    EXPECT_TRUE(other.view_a.equal(folder.view_a)) << data;
    EXPECT_TRUE(other.view_b.equal(folder.view_b)) << data;
  }
}

TEST_F(CropsOfBatches, AreTheSameForAnyNumberOfRanksAndAnyRowsTogether) {
  const auto images = open("images");
  const Batch whole = batch_of("images");
  for (const int ranks : {2, 3, 5}) {
    std::vector<at::Tensor> views, ids;
    for (int rank = 0; rank < ranks; ++rank) {
      const BatchSource source(images, options_of(rank, ranks));
      Batch part = source.begin(2, 0);
      // From the last row to the first.
      for (std::int64_t row = part.ids.size(0) - 1; row >= 0; --row) source.fill(part, {row, row + 1});
      views.push_back(part.view_b);
      ids.push_back(part.ids);
    }
    EXPECT_TRUE(at::cat(views).equal(whole.view_b)) << ranks << " ranks";
    EXPECT_TRUE(at::cat(ids).equal(whole.ids)) << ranks << " ranks";
  }
}

TEST_F(CropsOfBatches, AreNearThoseOfWholeImages) {
  const auto images = open("images");
  const BatchOptions options = options_of(0, 1);
  const Batch batch = BatchSource(images, options).build(2, 0);
  const DecodedImages whole = images->load(batch.ids);
  for (const int number : {0, 1}) {
    const at::Tensor exact = augment(whole, batch.ids, {options.seed, 2, number}, options.augmentation, options.format);
    const at::Tensor apart = (exact - (number == 0 ? batch.view_a : batch.view_b)).abs();
    // Of 255 levels, of which a deviation of the format is 51: colours that jitter strengthened are further apart.
    EXPECT_LT(apart.mean().item<double>(), 2.0 / 51);
    EXPECT_LT(apart.max().item<double>(), 25.0 / 51);
  }
}

TEST_F(CropsOfBatches, AreWithoutADamagedImageWhateverItsCrops) {
  MadeFile cut = photograph(kCutFile);
  cut.resize(cut.size() - cut.size() / 20);
  write_bytes(folder_ / "images" / (std::to_string(100 + kCutFile) + ".jpg"), text_of(cut));
  BatchOptions options = options_of(0, 1);
  // Crops that hardly ever reach the last row.
  options.augmentation.crop_area_min = options.augmentation.crop_area_max = 0.05;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto sound = std::make_shared<const SoundImages>(open("images"), nullptr);
    const Batch batch = BatchSource(sound, options).build(epoch, 0);
    EXPECT_TRUE(sound->broken_images().equal(at::tensor({kCutFile}, at::kLong))) << "epoch " << epoch;
    EXPECT_EQ(batch.ids.eq(kCutFile).sum().item<int>(), 0);
    EXPECT_EQ(batch.ids.eq(kCutFile + 1).sum().item<int>(), 2);
  }
}

}  // namespace
}  // namespace negatron::testing
