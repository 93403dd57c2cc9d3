#include "runtime/data/decoded_images.h"

#include <stdexcept>
#include <utility>

namespace negatron {
namespace {

/// Of [C, h, w] at the end of its shape.
bool is_sample(const at::Tensor& tensor) {
  const std::int64_t dimensions = tensor.dim();
  const bool is_one_value = tensor.size(dimensions - 2) == 1 && tensor.size(dimensions - 1) == 1;
  return tensor.scalar_type() == at::kByte || (tensor.scalar_type() == at::kDouble && is_one_value);
}

}  // namespace

DecodedImages::DecodedImages(const at::Tensor& images) : together_(images) {
  if (images.dim() != 4 || !is_sample(images)) {
    throw std::invalid_argument("Images of one size are [n, C, H, W] of bytes, features [n, F, 1, 1] of fp64.");
  }
}

DecodedImages::DecodedImages(std::vector<at::Tensor> images) : apart_(std::move(images)) {
  if (apart_.empty()) throw std::invalid_argument("Images of differing sizes are at least one.");
  bool one_size = true;
  for (const at::Tensor& image : apart_) {
    const at::Tensor& first = apart_.front();
    if (image.dim() != 3 || !is_sample(image) || image.scalar_type() != first.scalar_type() ||
        image.size(0) != first.size(0)) {
      throw std::invalid_argument("Images of differing sizes are [C, h, w] of bytes each, of the same channels.");
    }
    one_size = one_size && image.sizes() == first.sizes();
  }
  // One call of the sampler for all of them is faster than one for each.
  if (!one_size) return;
  together_ = at::stack(apart_);
  apart_.clear();
}

std::int64_t DecodedImages::size() const {
  return have_one_size() ? together_.size(0) : static_cast<std::int64_t>(apart_.size());
}

std::int64_t DecodedImages::channels() const {
  return have_one_size() ? together_.size(1) : apart_.front().size(0);
}

at::Tensor DecodedImages::image(std::int64_t i) const {
  return have_one_size() ? together_.narrow(0, i, 1) : apart_[static_cast<std::size_t>(i)].unsqueeze(0);
}

ImageSize DecodedImages::size_of(std::int64_t i) const {
  if (have_one_size()) return {together_.size(2), together_.size(3)};
  const at::Tensor& image = apart_[static_cast<std::size_t>(i)];
  return {image.size(1), image.size(2)};
}

}  // namespace negatron
