#include "runtime/data/decoding/decode_crop.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/decoding/exif_orientation.h"
#include "runtime/data/decoding/image_format.h"
#include "runtime/data/decoding/jpeg_image.h"
#include "runtime/data/decoding/stored_head.h"

namespace negatron {

namespace {

// For shares that were rounded.
constexpr std::int64_t kRoundingMargin = 1;
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

/// Of one side of an image of `pixels` that is shrunk: the pixels that a crop start .. start + extent of it, made into
/// `outputs`, is made of. Outputs lie in the middles of as many equal pieces of the crop, so that a triangle as wide as
/// two pieces, or as two pixels where they are wider, reaches beyond the crop by half a piece or less than a pixel.
Range pixels_for(double start, double extent, std::int64_t outputs, double pixels) {
  const auto count = static_cast<std::int64_t>(std::ceil(pixels));
  const double reach = std::max(1.0, 0.5 * extent * pixels / static_cast<double>(outputs));
  const auto first = static_cast<std::int64_t>(std::floor(start * pixels - reach)) - kRoundingMargin;
  const auto end = static_cast<std::int64_t>(std::ceil((start + extent) * pixels + reach)) + kRoundingMargin;
  const std::int64_t begin = std::clamp<std::int64_t>(first, 0, count - 1);
  return {begin, std::clamp<std::int64_t>(end, begin + 1, count)};
}

Range united(const Range& a, const Range& b) {
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// What decoding all of the crops takes. They are those of the stored image, which is of `size`.
JpegBox box_around(std::span<const CropWanted> crops, const ImageSize& size) {
  std::int64_t shrink = kMostShrink;
  for (const CropWanted& crop : crops) shrink = std::min(shrink, shrink_for(crop.part, size, crop.output));
  const double width = static_cast<double>(size.width) / static_cast<double>(shrink);
  const double height = static_cast<double>(size.height) / static_cast<double>(shrink);
  const auto columns_of = [&](const CropWanted& crop) {
    return pixels_for(crop.part.left, crop.part.width, crop.output.width, width);
  };
  const auto rows_of = [&](const CropWanted& crop) {
    return pixels_for(crop.part.top, crop.part.height, crop.output.height, height);
  };
  Range columns = columns_of(crops.front()), rows = rows_of(crops.front());
  for (const CropWanted& crop : crops) {
    columns = united(columns, columns_of(crop));
    rows = united(rows, rows_of(crop));
  }
  return {shrink, columns.begin, rows.begin, {rows.size(), columns.size()}};
}

DecodedCrop decode_jpeg_crops(JpegImage& image, std::span<const CropWanted> crops, std::int64_t channels) {
  const StoredHead& head = image.head();
  std::vector<CropWanted> stored;
  for (const CropWanted& crop : crops) {
    stored.push_back({stored_part(crop.part, head.orientation), head.orientation.turned(crop.output)});
  }
  const JpegBox box = box_around(stored, head.size);
  const double pixel_width = static_cast<double>(box.shrink) / static_cast<double>(head.size.width);
  const double pixel_height = static_cast<double>(box.shrink) / static_cast<double>(head.size.height);
  const ImagePart given{static_cast<double>(box.left) * pixel_width, static_cast<double>(box.top) * pixel_height,
                        static_cast<double>(box.size.width) * pixel_width,
                        static_cast<double>(box.size.height) * pixel_height};
  return {head.orientation.turned(image.decode_box(box, channels)), seen_part(given, head.orientation)};
}

std::vector<CropWanted> checked(std::vector<CropWanted> crops) {
  require(!crops.empty(), "Decoding for crops takes at least one.");
  for (const CropWanted& crop : crops) {
    require(crop.part.width > 0.0 && crop.part.height > 0.0 && crop.output.width > 0 && crop.output.height > 0,
            "A crop to decode has sides and an output size above zero.");
  }
  return crops;
}

}  // namespace

DecodedCrop decode_crops(FileBytes bytes, const CropsOfSize& crops, const DecodeOptions& options,
                         const std::string& name) {
  if (image_format(bytes, name) != ImageFormat::kJpeg) {
    const at::Tensor whole = decode_image(bytes, options, name);
    checked(crops({whole.size(1), whole.size(2)}));
    return {whole, {}};
  }
  require(options.channels == 1 || options.channels == 3, "Images are decoded to 1 or 3 channels.");
  JpegImage image(bytes, name);
  const StoredHead& head = image.head();
  check_pixel_count(head.size, options.most_pixels, name);
  return decode_jpeg_crops(image, checked(crops(head.orientation.turned(head.size))), options.channels);
}

DecodedCrop decode_crop(FileBytes bytes, const CropWanted& crop, const DecodeOptions& options,
                        const std::string& name) {
  return decode_crops(
      bytes, [&](const ImageSize&) { return std::vector<CropWanted>{crop}; }, options, name);
}

}  // namespace negatron
