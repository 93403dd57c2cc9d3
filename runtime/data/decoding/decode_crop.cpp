#include "runtime/data/decoding/decode_crop.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/decoding/exif_orientation.h"
#include "runtime/data/decoding/image_format.h"
#include "runtime/data/decoding/jpeg_image.h"
#include "runtime/data/decoding/stored_head.h"

namespace negatron {

namespace {

// Bilinear sampling looks one pixel beyond a crop; the other is for shares that were rounded.
constexpr std::int64_t kSamplingMargin = 2;
constexpr std::int64_t kMostShrink = 8;

void exchange_sides(ImagePart& part) {
  std::swap(part.left, part.top);
  std::swap(part.width, part.height);
}

void reverse(ImagePart& part, const Orientation& orientation) {
  if (orientation.reverse_rows) part.top = 1.0 - part.top - part.height;
  if (orientation.reverse_columns) part.left = 1.0 - part.left - part.width;
}

/// Where the pixels of a part that is seen are stored.
ImagePart stored_part(ImagePart seen, const Orientation& orientation) {
  reverse(seen, orientation);
  if (orientation.exchange_sides) exchange_sides(seen);
  return seen;
}

ImagePart seen_part(ImagePart stored, const Orientation& orientation) {
  if (orientation.exchange_sides) exchange_sides(stored);
  reverse(stored, orientation);
  return stored;
}

/// The largest that leaves no fewer pixels than the output has.
std::int64_t shrink_for(const ImagePart& part, const ImageSize& size, const ImageSize& output) {
  const double across = part.width * static_cast<double>(size.width) / static_cast<double>(output.width);
  const double down = part.height * static_cast<double>(size.height) / static_cast<double>(output.height);
  std::int64_t shrink = kMostShrink;
  while (shrink > 1 && std::min(across, down) < static_cast<double>(shrink)) shrink /= 2;
  return shrink;
}

/// The pixels of one side that sampling start .. start + extent looks at, where `pixels` were shrunk.
Range pixels_for(double start, double extent, std::int64_t pixels, std::int64_t shrink) {
  const double shrunk = static_cast<double>(pixels) / static_cast<double>(shrink);
  const std::int64_t count = (pixels + shrink - 1) / shrink;
  const auto first = static_cast<std::int64_t>(std::floor(start * shrunk)) - kSamplingMargin;
  const auto end = static_cast<std::int64_t>(std::ceil((start + extent) * shrunk)) + kSamplingMargin;
  const std::int64_t begin = std::clamp<std::int64_t>(first, 0, count - 1);
  return {begin, std::clamp<std::int64_t>(end, begin + 1, count)};
}

/// The smallest that holds both.
ImagePart united(const ImagePart& a, const ImagePart& b) {
  const double left = std::min(a.left, b.left);
  const double top = std::min(a.top, b.top);
  return {left, top, std::max(a.left + a.width, b.left + b.width) - left,
          std::max(a.top + a.height, b.top + b.height) - top};
}

DecodedCrop decode_jpeg_crops(JpegImage& image, std::span<const CropWanted> crops, std::int64_t channels) {
  const StoredHead& head = image.head();
  const ImageSize seen_size = head.orientation.turned(head.size);
  ImagePart seen = crops.front().part;
  std::int64_t shrink = kMostShrink;
  for (const CropWanted& crop : crops) {
    seen = united(seen, crop.part);
    shrink = std::min(shrink, shrink_for(crop.part, seen_size, crop.output));
  }
  const ImagePart wanted = stored_part(seen, head.orientation);
  const Range columns = pixels_for(wanted.left, wanted.width, head.size.width, shrink);
  const Range rows = pixels_for(wanted.top, wanted.height, head.size.height, shrink);
  const JpegBox box{shrink, columns.begin, rows.begin, {rows.size(), columns.size()}};
  const double pixel_width = static_cast<double>(shrink) / static_cast<double>(head.size.width);
  const double pixel_height = static_cast<double>(shrink) / static_cast<double>(head.size.height);
  const ImagePart given{static_cast<double>(box.left) * pixel_width, static_cast<double>(box.top) * pixel_height,
                        static_cast<double>(box.size.width) * pixel_width,
                        static_cast<double>(box.size.height) * pixel_height};
  return {head.orientation.turned(image.decode_box(box, channels)), seen_part(given, head.orientation)};
}

void check_crop(const CropWanted& crop) {
  require(crop.part.width > 0.0 && crop.part.height > 0.0 && crop.output.width > 0 && crop.output.height > 0,
          "A crop to decode has sides and an output size above zero.");
}

}  // namespace

DecodedCrop decode_crops(FileBytes bytes, std::span<const CropWanted> crops, const DecodeOptions& options,
                         const std::string& name) {
  require(!crops.empty(), "Decoding for crops takes at least one.");
  std::for_each(crops.begin(), crops.end(), check_crop);
  if (image_format(bytes, name) != ImageFormat::kJpeg) return {decode_image(bytes, options, name), {}};
  require(options.channels == 1 || options.channels == 3, "Images are decoded to 1 or 3 channels.");
  JpegImage image(bytes, name);
  check_pixel_count(image.head().size, options.most_pixels, name);
  return decode_jpeg_crops(image, crops, options.channels);
}

DecodedCrop decode_crop(FileBytes bytes, const CropWanted& crop, const DecodeOptions& options,
                        const std::string& name) {
  return decode_crops(bytes, {&crop, 1}, options, name);
}

}  // namespace negatron
