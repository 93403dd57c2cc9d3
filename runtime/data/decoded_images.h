#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Height and width of an image, in pixels.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;

  bool operator==(const ImageSize&) const = default;
};

/// Some images of a data set as bytes, on one device. They are kept in one tensor where all have one size, and each for
/// itself where sizes differ. Samples of features stand in the same places, as fp64 and not as bytes. Local.
class DecodedImages {
 public:
  /// Takes images of one size: [n, C, H, W] uint8; or features: [n, F, 1, 1] fp64. Throws std::invalid_argument for
  /// anything else.
  DecodedImages(const at::Tensor& images);
  /// Takes images of any sizes: [C, h, w] uint8 each, at least one, with the same channels and on the same device; or
  /// features: [F, 1, 1] fp64. Throws std::invalid_argument for anything else.
  explicit DecodedImages(std::vector<at::Tensor> images);

  std::int64_t size() const;
  std::int64_t channels() const;
  /// True when the samples are features.
  bool are_features() const { return have_one_size() && together_.scalar_type() == at::kDouble; }
  /// True when all images lie in one tensor.
  bool have_one_size() const { return together_.defined(); }
  /// The images as [n, C, H, W] uint8. Only where have_one_size().
  const at::Tensor& together() const { return together_; }
  /// Image i as [1, C, h, w] uint8; shares storage.
  at::Tensor image(std::int64_t i) const;
  /// Of image i.
  ImageSize size_of(std::int64_t i) const;

 private:
  /// Undefined where sizes differ.
  at::Tensor together_;
  std::vector<at::Tensor> apart_;
};

}  // namespace negatron
