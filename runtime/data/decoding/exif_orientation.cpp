#include "runtime/data/decoding/exif_orientation.h"

#include <algorithm>
#include <array>
#include <vector>

namespace negatron {

namespace {

constexpr std::array<std::uint8_t, 6> kExifName = {'E', 'x', 'i', 'f', 0, 0};
constexpr std::uint32_t kTiffMagic = 42;
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShortType = 3;
constexpr std::size_t kEntryBytes = 12;

/// Numbers of a TIFF block, in its byte order. What lies outside reads as zero, which is no tag and no offset.
class TiffNumbers {
 public:
  explicit TiffNumbers(std::span<const std::uint8_t> block)
      : block_(block), big_endian_(!block.empty() && block[0] == 'M') {}

  std::uint32_t at(std::size_t place, std::size_t bytes) const {
    if (place > block_.size() || block_.size() - place < bytes) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value = value << 8 | block_[place + (big_endian_ ? i : bytes - 1 - i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> block_;
  bool big_endian_;
};

Orientation orientation_of_value(std::uint32_t value) {
  switch (value) {
    case 2:
      return {false, false, true};
    case 3:
      return {false, true, true};
    case 4:
      return {false, true, false};
    case 5:
      return {true, false, false};
    case 6:
      return {true, false, true};
    case 7:
      return {true, true, true};
    case 8:
      return {true, true, false};
    default:
      return {};
  }
}

}  // namespace

ImageSize Orientation::turned(const ImageSize& size) const {
  return exchange_sides ? ImageSize{size.width, size.height} : size;
}

at::Tensor Orientation::turned(const at::Tensor& pixels) const {
  std::vector<std::int64_t> reversed;
  if (reverse_rows) reversed.push_back(1);
  if (reverse_columns) reversed.push_back(2);
  at::Tensor seen = exchange_sides ? pixels.transpose(1, 2) : pixels;
  if (!reversed.empty()) seen = seen.flip(reversed);
  return seen.contiguous();
}

bool starts_with_exif_name(std::span<const std::uint8_t> exif) {
  return exif.size() >= kExifName.size() && std::equal(kExifName.begin(), kExifName.end(), exif.begin());
}

Orientation exif_orientation(std::span<const std::uint8_t> tiff) {
  const bool has_order = tiff.size() >= 2 && tiff[0] == tiff[1] && (tiff[0] == 'I' || tiff[0] == 'M');
  const TiffNumbers numbers(tiff);
  if (!has_order || numbers.at(2, 2) != kTiffMagic) return {};
  const std::size_t directory = numbers.at(4, 4);
  const std::size_t entries = numbers.at(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (numbers.at(entry, 2) == kOrientationTag && numbers.at(entry + 2, 2) == kShortType) {
      return orientation_of_value(numbers.at(entry + 8, 2));
    }
  }
  return {};
}

Orientation exif_orientation_behind_name(std::span<const std::uint8_t> exif) {
  return exif_orientation(starts_with_exif_name(exif) ? exif.subspan(kExifName.size()) : exif);
}

}  // namespace negatron
