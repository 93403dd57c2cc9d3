#include "runtime/data/sources/images_in_memory.h"

#include <stdexcept>
#include <string_view>
#include <utility>

#include "runtime/snapshots/files/digest.h"

namespace negatron {

ImagesInMemory::ImagesInMemory(at::Tensor images, at::Tensor labels)
    : images_(std::move(images)), labels_(std::move(labels)) {
  if (images_.dim() != 4 || images_.scalar_type() != at::kByte) {
    throw std::invalid_argument("Images in memory are [N, C, H, W] of bytes.");
  }
  if (!labels_.defined()) return;
  if (labels_.dim() != 1 || labels_.size(0) != images_.size(0) || labels_.scalar_type() != at::kLong) {
    throw std::invalid_argument("Labels are int64, one for each image.");
  }
}

std::string ImagesInMemory::fingerprint() const {
  const at::Tensor pixels = images_.contiguous();
  const std::string_view bytes(reinterpret_cast<const char*>(pixels.const_data_ptr<std::uint8_t>()), pixels.nbytes());
  return std::to_string(size()) + " images whose pixels have the digest " + digest_of(bytes);
}

}  // namespace negatron
