#include "runtime/data/decoding/encode_png.h"

#include <stdexcept>

#include <png.h>

namespace negatron {

std::string encode_png(const at::Tensor& image) {
  const bool fits = image.dim() == 3 && image.scalar_type() == at::kByte && image.device().is_cpu() &&
                    (image.size(0) == 1 || image.size(0) == 3) && image.numel() > 0;
  if (!fits) throw std::invalid_argument("A PNG is made of [1 or 3, H, W] bytes on the host.");
  const at::Tensor pixels = image.permute({1, 2, 0}).contiguous();  // [H, W, C]
  png_image head{};
  head.version = PNG_IMAGE_VERSION;
  head.height = static_cast<png_uint_32>(pixels.size(0));
  head.width = static_cast<png_uint_32>(pixels.size(1));
  head.format = pixels.size(2) == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(head), '\0');
  png_alloc_size_t size = bytes.size();
  const int row_bytes = 0;  // Rows follow on each other.
  if (png_image_write_to_memory(&head, bytes.data(), &size, /*convert_to_8_bit=*/0, pixels.const_data_ptr(), row_bytes,
                                nullptr) == 0) {
    throw std::runtime_error(std::string("libpng cannot write an image: ") + head.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace negatron
