#include "runtime/data/decoding/decode_image.h"

#include "comm/require.h"
#include "runtime/data/decoding/image_format.h"
#include "runtime/data/decoding/jpeg_image.h"
#include "runtime/data/decoding/png_image.h"
#include "runtime/data/decoding/stored_head.h"
#include "runtime/data/decoding/webp_image.h"

namespace negatron {

namespace {

/// use(image) with the open image of the format that the bytes tell.
template <typename Use>
auto with_open_image(FileBytes bytes, const std::string& name, Use use) {
  switch (image_format(bytes, name)) {
    case ImageFormat::kPng: {
      PngImage image(bytes, name);
      return use(image);
    }
    case ImageFormat::kWebp: {
      WebpImage image(bytes, name);
      return use(image);
    }
    default: {
      JpegImage image(bytes, name);
      return use(image);
    }
  }
}

}  // namespace

ImageHead read_image_head(FileBytes bytes, const std::string& name) {
  return with_open_image(bytes, name, [](const auto& image) {
    const StoredHead& head = image.head();
    return ImageHead{head.orientation.turned(head.size), head.channels};
  });
}

at::Tensor decode_image(FileBytes bytes, const DecodeOptions& options, const std::string& name) {
  require(options.channels == 1 || options.channels == 3, "Images are decoded to 1 or 3 channels.");
  return with_open_image(bytes, name, [&](auto& image) {
    check_pixel_count(image.head().size, options.most_pixels, name);
    return image.head().orientation.turned(image.decode(options.channels));
  });
}

}  // namespace negatron
