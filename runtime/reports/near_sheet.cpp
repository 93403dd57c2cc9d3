#include "runtime/reports/near_sheet.h"

#include <algorithm>
#include <stdexcept>

#include "runtime/data/decoding/decode_image.h"

namespace negatron {
namespace {

/// White pixels between pictures, and between a sample and the others.
constexpr std::int64_t kGap = 4;
constexpr std::int64_t kGapBehindSample = 12;
constexpr int kWhite = 255;

/// In the middle of its cell, whose corner is at (top, left).
void paste(const PicturedSample& sample, at::Tensor& sheet, std::int64_t side, std::int64_t top, std::int64_t left) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(sample.png.data());
  const at::Tensor picture =
      decode_image({bytes, sample.png.size()}, {}, "a picture of sample " + std::to_string(sample.id));
  const std::int64_t height = picture.size(1), width = picture.size(2);
  sheet.narrow(1, top + (side - height) / 2, height).narrow(2, left + (side - width) / 2, width).copy_(picture);
}

}  // namespace

at::Tensor near_sheet(const std::vector<NearPictures>& pictures, std::int64_t side) {
  if (pictures.empty()) throw std::invalid_argument("A sheet of pictures needs a sample.");
  std::size_t most = 0;
  for (const NearPictures& one : pictures) most = std::max(most, one.near.size());
  const std::int64_t cell = side + kGap;
  at::Tensor sheet = at::full({3, static_cast<std::int64_t>(pictures.size()) * cell,
                               cell + kGapBehindSample + static_cast<std::int64_t>(most) * cell},
                              kWhite, at::kByte);
  std::int64_t top = 0;
  for (const NearPictures& one : pictures) {
    paste(one.sample, sheet, side, top, 0);
    std::int64_t left = cell + kGapBehindSample;
    for (const PicturedSample& near : one.near) {
      paste(near, sheet, side, top, left);
      left += cell;
    }
    top += cell;
  }
  return sheet;
}

}  // namespace negatron
