// Files of data that were damaged by chance, in their heads most of all: each is read or refused in one sentence.

#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"
#include "tests/runtime/data/mutated_file.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/sources/npy_bytes.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/sources/written_hdf5.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// Of each of the four kinds.
constexpr int kMutationsOfAKind = 500;
/// A run would read no more at a time.
constexpr std::int64_t kMostLoaded = 16;

/// A kind of data whose file is damaged.
struct DamagedKind {
  std::string kind;
  /// Its name in the folder, and what --data names.
  std::string file, path;
  /// What is damaged, in turn.
  std::vector<std::string> originals;
};

std::string damaged(const std::string& original, std::mt19937& random) {
  const std::vector<std::uint8_t> bytes = mutated({original.begin(), original.end()}, random);
  return {bytes.begin(), bytes.end()};
}

class DamagedFiles : public ::testing::Test {
 protected:
  /// Bytes of a file that `write` makes.
  std::string written(const std::function<void(WrittenFile&)>& write) const {
    {
      WrittenFile file(folder_ / "written");
      write(file);
    }
    return read_bytes(folder_ / "written");
  }

  /// True when it was read, image by image and all together.
  static bool reads(const SourceOptions& options) {
    const auto source = open_images(options);
    const std::int64_t count = std::min(source->size(), kMostLoaded);
    EXPECT_GT(count, 0);
    bool all = true;
    for (std::int64_t i = 0; i < count; ++i) {
      try {
        EXPECT_EQ(source->load(at::full({1}, i, at::kLong)).size(), 1);
      } catch (const DataError& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        all = false;
      }
    }
    EXPECT_EQ(source->has_labels() ? source->labels().size(0) : source->size(), source->size());
    const auto test = source->test_part();
    EXPECT_TRUE(test == nullptr || test->size() > 0);
    return all;
  }

  void expect_samples_or_refusals(const DamagedKind& damage) {
    std::mt19937 random(2000);
    const SourceOptions options{(folder_ / damage.path).string(), damage.kind};
    const long before = peak_kibibytes();
    int refusals = 0;
    for (int i = 0; i < kMutationsOfAKind; ++i) {
      const std::string& original = damage.originals[static_cast<std::size_t>(i) % damage.originals.size()];
      write_bytes(folder_ / damage.file, damaged(original, random));
      std::filesystem::remove(folder_ / (damage.file + ".index"));
      const auto start = std::chrono::steady_clock::now();
      try {
        refusals += reads(options) ? 0 : 1;
      } catch (const DataError& error) {
        ++refusals;
        EXPECT_NE(std::string(error.what()).find(folder_.path().string()), std::string::npos) << error.what();
      }
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << "mutation " << i;
    }
    EXPECT_GT(refusals, kMutationsOfAKind / 20);
    EXPECT_LT(refusals, kMutationsOfAKind);
    EXPECT_LT(peak_kibibytes() - before, kMostGrowthKibibytes);
  }

  TemporaryDirectory folder_;
};

TEST_F(DamagedFiles, TarGivesImagesOrRefusal) {
  const std::string png = png_bytes(numbered_image(1, 3, 9, 8));
  const std::string name = "folder/" + std::string(120, 'n') + ".png";
  const std::string pax = pax_record("path", name) + pax_record("size", std::to_string(png.size()));
  expect_samples_or_refusals(
      {"tar",
       "x.tar",
       "x.tar",
       {tar_member("a.png", png) + tar_member("a.cls", "3") + tar_member("b.png", png) + tar_member("b.cls", "4"),
        tar_member("a.json", "{\"label\": 3, \"text\": [1, 2]}") + tar_member("a.png", png) + tar_end(),
        tar_member("x", pax, 'x') + tar_member("cut", png) + tar_end(),
        tar_member("././@LongLink", name + '\0', 'L') + tar_member("cut", png) + tar_member("b.png", png)}});
}

TEST_F(DamagedFiles, CifarGivesImagesOrRefusal) {
  std::string records;
  for (char label = 0; label < 4; ++label) records += label + std::string(3072, static_cast<char>(40 * label));
  expect_samples_or_refusals({"cifar", "data_batch_1.bin", "", {records, records.substr(0, 3073)}});
}

TEST_F(DamagedFiles, Hdf5GivesSamplesOrRefusal) {
  const at::Tensor images = at::arange(6 * 3 * 8 * 8, at::kLong).remainder(256).to(at::kByte).view({6, 8, 8, 3});
  const at::Tensor labels = at::arange(6, at::kLong);
  std::vector<std::string> of_images;
  for (const bool packed : {false, true}) {
    of_images.push_back(written([&](WrittenFile& file) {
      file.dataset("images", images, packed);
      file.dataset("labels", labels, packed);
    }));
    of_images.push_back(written([&](WrittenFile& file) {
      for (const char* group : {"train", "test"}) file.group(group);
      for (const char* name : {"train/x", "test/x"}) file.dataset(name, images, packed);
    }));
  }
  expect_samples_or_refusals({"hdf5", "x.h5", "x.h5", of_images});
}

TEST_F(DamagedFiles, FeaturesAreRowsOrRefused) {
  const at::Tensor rows = at::arange(40, at::kDouble).view({10, 4});
  expect_samples_or_refusals(
      {"features", "x", "x", {npy_bytes(rows), npy_bytes(rows.to(at::kHalf)), written([&](WrittenFile& file) {
                                file.dataset("features", rows, true);
                              })}});
}

}  // namespace
}  // namespace negatron::testing
