#include "runtime/data/decoding/stored_head.h"

#include "runtime/data/data_error.h"

namespace negatron {

void refuse_image(const std::string& name, const std::string& reason) {
  throw DataError("Image '" + name + "' " + reason + ".");
}

void refuse_truncated_image(const std::string& name) {
  refuse_image(name, "is truncated: the file ends before its image does");
}

void check_pixel_count(const ImageSize& size, std::int64_t most, const std::string& name) {
  // Sides have at most 31 bits, so that the product does not overflow.
  if (size.height * size.width <= most) return;
  refuse_image(name, "has " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                         " pixels, which is more than the limit of " + std::to_string(most));
}

}  // namespace negatron
