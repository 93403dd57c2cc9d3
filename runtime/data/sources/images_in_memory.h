#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"

namespace negatron {

/// Images of one size that lie in memory, decoded, with or without labels: for kinds of data that are small enough to
/// be read whole. Every rank holds all of them.
class ImagesInMemory : public ImageSource {
 public:
  /// images: [N, C, H, W] uint8; labels: [N] int64, or undefined for none. Throws std::invalid_argument for other
  /// shapes.
  explicit ImagesInMemory(at::Tensor images, at::Tensor labels = {});

  std::int64_t size() const override { return images_.size(0); }
  std::int64_t channels() const override { return images_.size(1); }
  ImageSize view_size() const override { return {images_.size(2), images_.size(3)}; }
  /// Copies them into a batch.
  DecodedImages load(const at::Tensor& ids) const override { return images_.index_select(0, ids); }
  at::Tensor labels() const override { return labels_; }
  /// Of the pixels.
  std::string fingerprint() const override;
  std::int64_t bytes_in_memory() const override { return images_.numel(); }

  const at::Tensor& images() const noexcept { return images_; }

 private:
  at::Tensor images_;
  at::Tensor labels_;
};

}  // namespace negatron
