#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"

namespace negatron {

/// Images of any sizes in one tensor, each in the upper left of its part of it.
struct PaddedImages {
  at::Tensor pixels;  // [n, C, h, w] uint8 on the device; h and w are the largest, and beside an image anything lies
  std::vector<ImageSize> sizes;
};

/// images: at least one of [C, h, w] uint8 on the host, with the same channels. Their bytes and nothing else travel to
/// `device`, from pinned memory on a GPU; the host does not wait. Local.
PaddedImages bring_images(const std::vector<at::Tensor>& images, at::Device device);

}  // namespace negatron
