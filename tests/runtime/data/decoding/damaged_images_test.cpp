#include <chrono>
#include <functional>
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

/// What is wrong with a file, whether all of it is decoded or a crop; the same for both, or the sentence says so.
std::string verdict_of(const std::function<void()>& decode) {
  try {
    decode();
  } catch (const DataError& error) {
    return error.what();
  }
  return "sound";
}

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
      EXPECT_EQ(read_image_head(file, "mutated").size, (ImageSize{pixels.size(1), pixels.size(2)}));
    } catch (const DataError& error) {
      ++refusals;
      EXPECT_NE(std::string(error.what()).find("'mutated'"), std::string::npos) << error.what();
    }
    const CropWanted crop{{0.25, 0.1 * (i % 5), 0.5, 0.5}, {2 + i % 40, 3 + i % 50}};
    EXPECT_EQ(verdict_of([&] { decode_crop(file, crop, options, "mutated"); }),
              verdict_of([&] { decode_image(file, options, "mutated"); }))
        << "mutation " << i;
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

TEST(DamagedImages, AJpegIsCutShortWhateverItsCrop) {
  JpegTraits halved;
  halved.half_resolution = true;
  const MadeFile file = make_jpeg(smooth_pixels(3, 96, 80), halved);
  const DecodeOptions options;
  int refusals = 0;
  for (std::size_t bytes = file.size(); bytes > 600; bytes -= bytes > file.size() - 40 ? 1 : 97) {
    const MadeFile cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(bytes));
    const std::string whole = verdict_of([&] { decode_image(cut, options, "cut"); });
    refusals += whole == "sound" ? 0 : 1;
    for (const double top : {0.0, 0.45, 0.9}) {
      for (const std::int64_t output : {4, 40}) {
        const CropWanted crop{{0.3, top, 0.5, 0.1}, {output / 4, output}};
        EXPECT_EQ(verdict_of([&] { decode_crop(cut, crop, options, "cut"); }), whole) << bytes << " bytes, top " << top;
      }
    }
  }
  EXPECT_GT(refusals, 10);
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
