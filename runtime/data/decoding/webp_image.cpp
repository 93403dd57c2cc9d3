#include "runtime/data/decoding/webp_image.h"

#include <cstring>
#include <vector>

#include <webp/decode.h>

#include "runtime/data/decoding/pixel_planes.h"

namespace negatron {

namespace {

// "RIFF", length, "WEBP".
constexpr std::size_t kRiffHeadBytes = 12;
// Type and length.
constexpr std::size_t kRiffChunkHeadBytes = 8;

std::size_t little_endian(const std::uint8_t* bytes) {
  std::size_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

void check_webp_status(VP8StatusCode status, const std::string& name) {
  if (status == VP8_STATUS_OK) return;
  if (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED) refuse_truncated_image(name);
  if (status == VP8_STATUS_OUT_OF_MEMORY) refuse_image(name, "needs more memory than there is");
  refuse_image(name, "is damaged: libwebp cannot decode it");
}

Orientation orientation_in_riff(FileBytes bytes) {
  std::size_t place = kRiffHeadBytes;
  while (place <= bytes.size() && bytes.size() - place >= kRiffChunkHeadBytes) {
    const std::uint8_t* chunk = bytes.data() + place;
    const std::size_t length = little_endian(chunk + 4);
    if (length > bytes.size() - place - kRiffChunkHeadBytes) break;
    if (std::memcmp(chunk, "EXIF", 4) == 0) {
      return exif_orientation_behind_name(bytes.subspan(place + kRiffChunkHeadBytes, length));
    }
    // Chunks start at even places.
    place += kRiffChunkHeadBytes + length + length % 2;
  }
  return {};
}

}  // namespace

WebpImage::WebpImage(FileBytes bytes, const std::string& name) : name_(name), bytes_(bytes) {
  // libwebp is content when the picture is there and what follows is missing.
  if (little_endian(bytes.data() + 4) > bytes.size() - kRiffChunkHeadBytes) refuse_truncated_image(name);
  WebPBitstreamFeatures features;
  check_webp_status(WebPGetFeatures(bytes.data(), bytes.size(), &features), name);
  if (features.has_animation != 0) refuse_image(name, "is an animation; still images are read");
  head_.size = {features.height, features.width};
  head_.orientation = orientation_in_riff(bytes);
  has_alpha_ = features.has_alpha != 0;
}

at::Tensor WebpImage::decode(std::int64_t channels) {
  const PixelLayout layout = has_alpha_ ? PixelLayout::kRgba : PixelLayout::kRgb;
  const auto row_bytes = static_cast<std::size_t>(head_.size.width * pixel_bytes(layout));
  std::vector<std::uint8_t> pixels(row_bytes * static_cast<std::size_t>(head_.size.height));
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) refuse_image(name_, "cannot be decoded: libwebp is of another version");
  config.output.colorspace = has_alpha_ ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), static_cast<int>(row_bytes), pixels.size()};
  const VP8StatusCode status = WebPDecode(bytes_.data(), bytes_.size(), &config);
  WebPFreeDecBuffer(&config.output);
  check_webp_status(status, name_);
  PixelPlanes planes(channels, head_.size);
  for (std::int64_t y = 0; y < head_.size.height; ++y) {
    planes.put_row(y, pixels.data() + static_cast<std::size_t>(y) * row_bytes, layout);
  }
  return planes.tensor();
}

}  // namespace negatron
