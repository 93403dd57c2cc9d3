#include "runtime/data/decoding/decode_image.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/decoding/made_images.h"

namespace negatron::testing {
namespace {

// PNG's colour types.
constexpr int kGreyType = 0;
constexpr int kPaletteType = 3;

at::Tensor decoded(const MadeFile& file, std::int64_t channels = 3) {
  DecodeOptions options;
  options.channels = channels;
  return decode_image(file, options, "picture.jpg");
}

int largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kInt) - b.to(at::kInt)).abs().max().item<int>();
}

at::Tensor grey_in_colour(const at::Tensor& grey) {
  return grey.expand({3, grey.size(1), grey.size(2)});
}

std::string refused(const MadeFile& file, const DecodeOptions& options = {}) {
  try {
    decode_image(file, options, "some/picture.jpg");
  } catch (const DataError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("'some/picture.jpg'"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_EQ(message.back(), '.') << message;
    return message;
  }
  return "";
}

void expect_refused(const MadeFile& file, const std::string& reason, const DecodeOptions& options = {}) {
  EXPECT_NE(refused(file, options).find(reason), std::string::npos) << "message: " << refused(file, options);
}

MadeFile bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

TEST(DecodeJpeg, GreyAndColourKeepTheirPixels) {
  for (const bool progressive : {false, true}) {
    JpegTraits traits;
    traits.progressive = progressive;
    const at::Tensor colour = smooth_pixels(3, 37, 53);
    EXPECT_LE(largest_difference(decoded(make_jpeg(colour, traits)), colour), 3);
    const at::Tensor grey = smooth_pixels(1, 37, 53);
    EXPECT_LE(largest_difference(decoded(make_jpeg(grey, traits), 1), grey), 2);
    EXPECT_LE(largest_difference(decoded(make_jpeg(grey, traits)), grey_in_colour(grey)), 2);
    EXPECT_EQ(read_image_head(make_jpeg(grey, traits), "grey").channels, 1);
    EXPECT_EQ(read_image_head(make_jpeg(colour, traits), "colour").channels, 3);
    traits.half_resolution = true;
    EXPECT_LE(largest_difference(decoded(make_jpeg(colour, traits)), colour), 6);
  }
}

TEST(DecodeJpeg, InksAreInvertedAsAdobeWritesThem) {
  at::Tensor inks = at::empty({4, 16, 24}, at::kByte);
  inks[0].fill_(255);
  inks[1].fill_(128);
  inks[2].fill_(0);
  inks[3].fill_(200);
  at::Tensor expected = at::empty({3, 16, 24}, at::kByte);
  expected[0].fill_(200);
  expected[1].fill_(100);
  expected[2].fill_(0);
  for (const bool ycck : {false, true}) {
    JpegTraits traits;
    traits.ycck = ycck;
    EXPECT_LE(largest_difference(decoded(make_jpeg(inks, traits)), expected), 2);
    EXPECT_EQ(read_image_head(make_jpeg(inks, traits), "inks").channels, 3);
  }
}

TEST(DecodeImage, ColourBecomesGreyAsPilHasIt) {
  const at::Tensor colour = random_pixels(3, 9, 11);
  const at::Tensor weights = at::tensor({0.299, 0.587, 0.114}, at::kDouble).view({3, 1, 1});
  const at::Tensor expected = (colour.to(at::kDouble) * weights).sum(0, /*keepdim=*/true).round();
  EXPECT_LE(largest_difference(decoded(make_plain_png(colour), 1), expected), 1);
  const at::Tensor grey = random_pixels(1, 9, 11);
  EXPECT_TRUE(decoded(make_plain_png(grey_in_colour(grey)), 1).equal(grey));
}

/// at::rot90 turns against the clock, the tag is named after what undoes it.
TEST(DecodeImage, IsTurnedAsEachOrientationSays) {
  const auto seen = [](const at::Tensor& p, int orientation) -> at::Tensor {
    switch (orientation) {
      case 2:
        return p.flip({2});
      case 3:
        return at::rot90(p, 2, {1, 2});
      case 4:
        return p.flip({1});
      case 5:
        return at::rot90(p.flip({1}), -1, {1, 2});
      case 6:
        return at::rot90(p, -1, {1, 2});
      case 7:
        return at::rot90(p.flip({1}), 1, {1, 2});
      case 8:
        return at::rot90(p, 1, {1, 2});
      default:
        return p;
    }
  };
  const at::Tensor pixels = random_pixels(3, 20, 33);
  const at::Tensor smooth = smooth_pixels(3, 20, 33);
  for (int orientation = 1; orientation <= 9; ++orientation) {
    PngTraits png;
    png.orientation = orientation;
    const MadeFile png_file = make_png(pixels.permute({1, 2, 0}).to(at::kLong), png);
    EXPECT_TRUE(decoded(png_file).equal(seen(pixels, orientation))) << orientation;
    WebpTraits webp;
    webp.orientation = orientation;
    EXPECT_TRUE(decoded(make_webp(pixels, webp)).equal(seen(pixels, orientation))) << orientation;
    JpegTraits jpeg;
    jpeg.orientation = orientation;
    const MadeFile jpeg_file = make_jpeg(smooth, jpeg);
    EXPECT_LE(largest_difference(decoded(jpeg_file), seen(smooth, orientation)), 3) << orientation;
    const ImageSize size = read_image_head(jpeg_file, "turned").size;
    EXPECT_EQ(size, (ImageSize{seen(smooth, orientation).size(1), seen(smooth, orientation).size(2)}));
  }
}

TEST(DecodePng, GreyOfFewBitsIsStretchedAndOfSixteenIsCut) {
  for (const int bits : {1, 2, 4, 8, 16}) {
    for (const bool interlaced : {false, true}) {
      const std::int64_t most = (std::int64_t{1} << bits) - 1;
      const at::Tensor samples = (at::arange(13 * 21, at::kLong) * 7919).remainder(most + 1).view({13, 21, 1});
      PngTraits traits;
      traits.bits = bits;
      traits.colour_type = kGreyType;
      traits.interlaced = interlaced;
      const at::Tensor expected = bits == 16 ? samples.floor_divide(256) : samples.mul(255).floor_divide(most);
      const MadeFile file = make_png(samples, traits);
      EXPECT_EQ(largest_difference(decoded(file, 1), expected.permute({2, 0, 1})), 0) << bits << " bits";
      EXPECT_EQ(read_image_head(file, "grey").channels, 1);
    }
  }
}

TEST(DecodePng, PalettesAreColours) {
  const at::Tensor palette = random_pixels(3, 1, 4).view({3, 4}).t().contiguous();
  for (const int bits : {2, 4, 8}) {
    const at::Tensor samples = at::arange(10 * 15, at::kLong).remainder(4).view({10, 15, 1});
    PngTraits traits;
    traits.bits = bits;
    traits.colour_type = kPaletteType;
    traits.palette = palette;
    const at::Tensor expected = palette.index_select(0, samples.flatten()).view({10, 15, 3}).permute({2, 0, 1});
    EXPECT_TRUE(decoded(make_png(samples, traits)).equal(expected));
    EXPECT_EQ(read_image_head(make_png(samples, traits), "palette").channels, 3);
    // Its first colour is transparent: white.
    traits.palette_alpha = {0};
    const at::Tensor white = expected.masked_fill(samples.permute({2, 0, 1}) == 0, 255);
    EXPECT_TRUE(decoded(make_png(samples, traits)).equal(white));
  }
}

TEST(DecodePng, TransparencyLiesOverWhite) {
  const at::Tensor rgba = random_pixels(4, 8, 31);
  const at::Tensor alpha = rgba.narrow(0, 3, 1).to(at::kDouble).div(255.0);
  const at::Tensor expected = rgba.narrow(0, 0, 3).to(at::kDouble).mul(alpha).add(alpha.neg().add(1.0).mul(255.0));
  EXPECT_LE(largest_difference(decoded(make_plain_png(rgba)), expected.round()), 1);
  const at::Tensor grey = at::cat({rgba.narrow(0, 0, 1), rgba.narrow(0, 3, 1)});
  EXPECT_LE(largest_difference(decoded(make_plain_png(grey), 1), expected.narrow(0, 0, 1).round()), 1);

  PngTraits traits;
  traits.bits = 16;
  traits.colour_type = kGreyType;
  traits.transparent_grey = 0x1234;
  // The second has the same upper byte and is not transparent.
  const at::Tensor samples = at::tensor({0x1234, 0x1233, 0xff00}, at::kLong).view({1, 3, 1});
  EXPECT_TRUE(decoded(make_png(samples, traits), 1).flatten().equal(at::tensor({255, 0x12, 255}, at::kByte)));
}

TEST(DecodePng, SixteenBitColoursInterlaced) {
  const at::Tensor samples = (at::arange(14 * 9 * 3, at::kLong) * 40503).remainder(65536).view({14, 9, 3});
  PngTraits traits;
  traits.bits = 16;
  traits.interlaced = true;
  EXPECT_EQ(largest_difference(decoded(make_png(samples, traits)), samples.floor_divide(256).permute({2, 0, 1})), 0);
}

TEST(DecodeWebp, LosslessIsExactAndLossyIsNear) {
  const at::Tensor pixels = random_pixels(3, 23, 31);
  EXPECT_TRUE(decoded(make_webp(pixels)).equal(pixels));
  EXPECT_EQ(read_image_head(make_webp(pixels), "webp").size, (ImageSize{23, 31}));
  WebpTraits lossy;
  lossy.lossless = false;
  const at::Tensor smooth = smooth_pixels(3, 64, 48);
  EXPECT_LE(largest_difference(decoded(make_webp(smooth, lossy)), smooth), 12);
  const at::Tensor rgba = random_pixels(4, 23, 31);
  EXPECT_TRUE(decoded(make_webp(rgba)).equal(decoded(make_plain_png(rgba))));
  at::Tensor see_through = smooth_pixels(4, 64, 48);
  see_through[3].fill_(0);
  EXPECT_EQ(decoded(make_webp(see_through, lossy)).min().item<int>(), 255);
}

TEST(DecodeImage, SaysWhatAFileIsThatIsNoImage) {
  expect_refused({}, "is empty");
  expect_refused(bytes_of("<!DOCTYPE html><html><body>404 Not Found</body></html>"), "is text");
  expect_refused(bytes_of("GIF89a\1\2\3"), "is a GIF image; JPEG, PNG and WebP are read");
  expect_refused(MadeFile(100, 0), "is in no known image format");
  expect_refused(make_webp_animation(), "is an animation");
}

TEST(DecodeImage, EveryTruncationIsRefused) {
  const at::Tensor pixels = random_pixels(3, 12, 18);
  JpegTraits progressive;
  progressive.progressive = true;
  WebpTraits lossy;
  lossy.lossless = false;
  for (const MadeFile& whole : {make_jpeg(pixels), make_jpeg(pixels, progressive), make_plain_png(pixels),
                                make_webp(pixels), make_webp(pixels, lossy)}) {
    for (std::size_t length = 12; length < whole.size(); ++length) {
      const MadeFile cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      expect_refused(cut, "is truncated");
    }
  }
}

TEST(DecodeImage, PixelLimitIsFoundInTheHead) {
  DecodeOptions options;
  options.most_pixels = 12 * 18;
  const at::Tensor pixels = random_pixels(3, 12, 18);
  for (MadeFile file : {make_jpeg(pixels), make_plain_png(pixels), make_webp(pixels)}) {
    options.most_pixels = 12 * 18;
    EXPECT_EQ(refused(file, options), "");
    options.most_pixels = 12 * 18 - 1;
    expect_refused(file, "has 18 x 12 pixels, which is more than the limit of 215", options);
  }
}

TEST(DecodeImage, DamagedPixelsAreRefused) {
  const at::Tensor pixels = random_pixels(3, 40, 40);
  MadeFile png = make_plain_png(pixels);
  png[png.size() / 2] ^= 0x10;
  expect_refused(png, "is damaged: libpng says '");
  // A marker where there is none, in the middle of the codes.
  MadeFile jpeg = make_jpeg(pixels);
  jpeg[jpeg.size() / 2] = 0xff;
  jpeg[jpeg.size() / 2 + 1] = 0xd9;
  expect_refused(jpeg, "libjpeg says '");
}

}  // namespace
}  // namespace negatron::testing
