#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/decoding/decode_crop.h"
#include "runtime/data/decoding/decode_image.h"
#include "tests/runtime/data/decoding/made_images.h"
#include "tests/runtime/data/mutated_file.h"

namespace negatron::testing {
namespace {

constexpr int kMutations = 2000;
constexpr std::int64_t kMostPixels = 1'000'000;

/// Each mutation of the files, in turn, gives pixels or a DataError that names the file; neither time nor memory grow
/// with what a head claims.
void expect_pixels_or_refusals(const std::vector<MadeFile>& files) {
  std::mt19937 random(2000);
  DecodeOptions options;
  options.most_pixels = kMostPixels;
  const long before = peak_kibibytes();
  int refusals = 0;
  for (int i = 0; i < kMutations; ++i) {
    const MadeFile file = mutated(files[static_cast<std::size_t>(i) % files.size()], random);
    options.channels = i % 2 == 0 ? 3 : 1;
    const auto start = std::chrono::steady_clock::now();
    try {
      const at::Tensor pixels = decode_image(file, options, "mutated");
      EXPECT_EQ(pixels.size(0), options.channels);
      EXPECT_LE(pixels[0].numel(), kMostPixels);
      const CropWanted crop{{0.25, 0.25, 0.5, 0.5}, {10 + i % 40, 10 + i % 50}};
      EXPECT_LE(decode_crop(file, crop, options, "mutated").pixels.numel(), pixels.numel());
      EXPECT_EQ(read_image_head(file, "mutated").size, (ImageSize{pixels.size(1), pixels.size(2)}));
    } catch (const DataError& error) {
      ++refusals;
      EXPECT_NE(std::string(error.what()).find("'mutated'"), std::string::npos) << error.what();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << "mutation " << i;
  }
  EXPECT_GT(refusals, kMutations / 10);
  EXPECT_LT(refusals, kMutations);
  EXPECT_LT(peak_kibibytes() - before, kMostGrowthKibibytes);
}

TEST(DamagedImages, JpegGivesPixelsOrRefusal) {
  JpegTraits progressive;
  progressive.progressive = true;
  progressive.half_resolution = true;
  JpegTraits turned;
  turned.orientation = 6;
  turned.restart_interval = 2;
  JpegTraits ycck;
  ycck.ycck = true;
  expect_pixels_or_refusals({make_jpeg(smooth_pixels(3, 40, 50), progressive),
                             make_jpeg(smooth_pixels(3, 40, 50), turned), make_jpeg(smooth_pixels(1, 40, 50)),
                             make_jpeg(smooth_pixels(4, 40, 50), ycck)});
}

TEST(DamagedImages, PngGivesPixelsOrRefusal) {
  PngTraits palette;
  palette.bits = 4;
  palette.colour_type = 3;
  palette.palette = random_pixels(3, 1, 4).view({4, 3});
  palette.palette_alpha = {0, 100};
  PngTraits interlaced;
  interlaced.bits = 16;
  interlaced.interlaced = true;
  interlaced.orientation = 5;
  const at::Tensor indices = at::arange(40 * 50, at::kLong).remainder(4).view({40, 50, 1});
  const at::Tensor samples = at::arange(20 * 25 * 3, at::kLong).view({20, 25, 3});
  expect_pixels_or_refusals({make_plain_png(smooth_pixels(3, 40, 50)), make_plain_png(smooth_pixels(2, 40, 50)),
                             make_png(indices, palette), make_png(samples, interlaced)});
}

TEST(DamagedImages, WebpGivesPixelsOrRefusal) {
  WebpTraits lossy;
  lossy.lossless = false;
  WebpTraits turned;
  turned.orientation = 8;
  expect_pixels_or_refusals({make_webp(smooth_pixels(3, 40, 50)), make_webp(smooth_pixels(4, 40, 50), lossy),
                             make_webp(smooth_pixels(3, 40, 50), lossy), make_webp(smooth_pixels(3, 40, 50), turned)});
}

}  // namespace
}  // namespace negatron::testing
