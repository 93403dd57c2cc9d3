// A folder as people have it: images of every kind, links, odd names, and files that are broken in every way, read as
// a run reads them.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"
#include "runtime/data/sound_images.h"
#include "tests/runtime/data/decoding/made_images.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kOddHeight = 20;
constexpr std::int64_t kOddWidth = 30;

std::string text_of_file(const MadeFile& file) {
  return {file.begin(), file.end()};
}

/// The same picture in every image: what reads one of them wrongly is far from the others.
at::Tensor picture(std::int64_t channels) {
  return smooth_pixels(channels, kOddHeight, kOddWidth);
}

class OddFolder : public ::testing::Test {
 protected:
  void write(const std::string& name, const MadeFile& file) { write(name, text_of_file(file)); }
  void write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    write_bytes(path, bytes);
  }
  std::shared_ptr<const ImageSource> open() const {
    SourceOptions options{folder_.path().string()};
    options.channels = 3;
    options.most_pixels = 1'000'000;
    return open_images(options);
  }
  /// In the order of the folder.
  static at::Tensor load(const ImageSource& source, std::int64_t id) {
    return source.load(at::full({1}, id, at::kLong)).image(0).squeeze(0);
  }
  static int farthest(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kInt) - b.to(at::kInt)).abs().max().item<int>();
  }

  TemporaryDirectory folder_;
};

TEST_F(OddFolder, EveryKindOfImageIsTheSamePicture) {
  const at::Tensor colour = picture(3), grey = picture(1).expand({3, kOddHeight, kOddWidth});
  const at::Tensor opaque = at::full({1, kOddHeight, kOddWidth}, 255, at::kByte);
  JpegTraits progressive, turned;
  progressive.progressive = true;
  turned.orientation = 6;
  PngTraits deep, interlaced;
  deep.bits = interlaced.bits = 16;
  interlaced.interlaced = true;
  const at::Tensor samples = colour.permute({1, 2, 0}).to(at::kLong) * 257;
  // By name, which is the order of the folder.
  std::map<std::string, std::pair<MadeFile, at::Tensor>> images;
  images["a-colour.jpg"] = {make_jpeg(colour), colour};
  images["b-progressive.JPEG"] = {make_jpeg(colour, progressive), colour};
  images["c-grey.jpg"] = {make_jpeg(picture(1)), grey};
  images["d-turned.jpg"] = {make_jpeg(colour, turned), colour.transpose(1, 2).flip(2)};
  images["e-colour.png"] = {make_plain_png(colour), colour};
  images["f-grey.PNG"] = {make_plain_png(picture(1)), grey};
  images["g-alpha.png"] = {make_plain_png(at::cat({colour, opaque})), colour};
  images["h-grey-alpha.png"] = {make_plain_png(at::cat({picture(1), opaque})), grey};
  images["i-deep.png"] = {make_png(samples, deep), colour};
  images["j-interlaced.png"] = {make_png(samples, interlaced), colour};
  images["k-lossless.webp"] = {make_webp(colour), colour};
  images["l-alpha.webp"] = {make_webp(at::cat({colour, opaque})), colour};
  // Told by its bytes and not by its name.
  images["m-png-in-truth.jpg"] = {make_plain_png(colour), colour};
  images["n b'\"\xc3\xa4\n%s$(x).png"] = {make_plain_png(colour), colour};
  images["o/deep/er/a.webp"] = {make_webp(colour), colour};
  for (const auto& [name, image] : images) write(name, image.first);
  std::filesystem::create_symlink(folder_ / "a-colour.jpg", folder_ / "p-link.jpg");
  images["p-link.jpg"] = images["a-colour.jpg"];
  const auto source = open();
  ASSERT_EQ(source->size(), static_cast<std::int64_t>(images.size()));
  std::int64_t id = 0;
  for (const auto& [name, image] : images) {
    const at::Tensor loaded = load(*source, id++);
    ASSERT_EQ(loaded.sizes(), image.second.sizes()) << name;
    EXPECT_LE(farthest(loaded, image.second), 4) << name;
  }
  // All at once, of differing sizes.
  EXPECT_EQ(source->load(at::arange(source->size(), at::kLong)).size(), source->size());
}

TEST_F(OddFolder, PalettesAndInksAreColours) {
  PngTraits palette;
  palette.bits = 2;
  palette.colour_type = 3;
  palette.palette = random_pixels(3, 1, 4).view({3, 4}).t().contiguous();
  const at::Tensor indices =
      at::arange(kOddHeight * kOddWidth, at::kLong).remainder(4).view({kOddHeight, kOddWidth, 1});
  write("a-palette.png", make_png(indices, palette));
  // No black: each colour is what its ink leaves, and inks stand in the file inverted.
  write("b-inks.jpg", make_jpeg(at::cat({picture(3), at::full({1, kOddHeight, kOddWidth}, 255, at::kByte)})));
  const auto source = open();
  EXPECT_TRUE(load(*source, 0).select(1, 0).select(1, 2).equal(palette.palette[2]));
  EXPECT_LE(farthest(load(*source, 1), picture(3)), 4);
}

TEST_F(OddFolder, EachBrokenFileIsNamedAndReplacedByTheNextSoundOne) {
  const MadeFile jpeg = make_jpeg(picture(3));
  for (int i = 0; i < 40; ++i) write("a/" + std::to_string(100 + i) + ".png", make_plain_png(picture(3)));
  std::string bomb = png_bytes(picture(3));
  // Its head claims 65,536 x 65,536 pixels.
  const std::string head = big_endian(1 << 16) + big_endian(1 << 16) + std::string{8, 2, 0, 0, 0};
  bomb = "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", head) + bomb.substr(33);
  const std::vector<std::pair<std::string, std::string>> broken = {
      {"b/1-empty.jpg", ""},
      {"b/2-cut.jpg", text_of_file(jpeg).substr(0, jpeg.size() / 2)},
      {"b/3-text.png", "not an image"},
      {"b/4-bomb.png", bomb},
      {"b/5-cut-head.webp", text_of_file(make_webp(picture(3))).substr(0, 20)},
      {"b/6-removed.png", png_bytes(picture(3))},
      {"b/7-cut-later.png", png_bytes(picture(3))},
  };
  for (const auto& [name, bytes] : broken) write(name, bytes);
  std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "b" / "8-nowhere.jpg");
  ASSERT_EQ(::mkfifo((folder_ / "b" / "9-pipe.jpg").c_str(), 0600), 0);
  write("b/9-sound.png", png_bytes(picture(3)));
  std::vector<std::string> told;
  const auto sound =
      std::make_shared<const SoundImages>(open(), [&](const std::string& text) { told.push_back(text); });
  // The folder changes under the run.
  std::filesystem::remove(folder_ / "b" / "6-removed.png");
  std::filesystem::resize_file(folder_ / "b" / "7-cut-later.png", 40);
  ASSERT_EQ(sound->size(), 50);
  const at::Tensor all = at::arange(50, at::kLong);
  EXPECT_EQ(sound->load(all).size(), 50);
  EXPECT_EQ(sound->broken(), 9);
  ASSERT_EQ(told.size(), 9U);
  const char* names[] = {"1-empty", "2-cut", "3-text", "4-bomb", "5-cut", "6-removed", "7-cut", "8-nowhere", "9-pipe"};
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_NE(told[i].find(std::string("/b/") + names[i]), std::string::npos) << told[i];
    EXPECT_NE(told[i].find(" The next image takes its place"), std::string::npos) << told[i];
    EXPECT_EQ(told[i].find('\n'), std::string::npos) << told[i];
  }
  const at::Tensor chosen = sound->stand_ins(all);
  EXPECT_TRUE(chosen.narrow(0, 0, 40).equal(all.narrow(0, 0, 40)));
  EXPECT_TRUE(chosen.narrow(0, 40, 10).eq(49).all().item<bool>());
}

TEST_F(OddFolder, AnUnreadableFileIsBroken) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every file";
  write("a.png", png_bytes(picture(3)));
  write("b.png", png_bytes(picture(3)));
  std::filesystem::permissions(folder_ / "b.png", std::filesystem::perms::none);
  const auto source = open();
  EXPECT_THROW(load(*source, 1), DataError);
}

TEST_F(OddFolder, ATarThatIsCutShortIsRefusedAndOneThatIsCutUnderTheRunIsBroken) {
  const std::string archive = tar_member("a.png", png_bytes(picture(3))) + tar_member("b.png", png_bytes(picture(3)));
  write("x.tar", archive.substr(0, archive.size() - 700));
  const auto open_tar = [&] { return open_images({(folder_ / "x.tar").string()}); };
  EXPECT_THROW(open_tar(), DataError);
  write("x.tar", archive);
  const auto source = open_tar();
  std::filesystem::resize_file(folder_ / "x.tar", archive.size() / 2 + 600);
  EXPECT_EQ(load(*source, 0).size(0), 3);
  try {
    load(*source, 1);
    FAIL() << "it was read";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("x.tar' is cut short"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace negatron::testing
