#include "runtime/data/view_format.h"

#include <vector>

#include "runtime/data/measured_normalization.h"

namespace negatron {

namespace {

/// images [n, C, h, w] uint8 -> [n, C, H, W], float in 0..255 unless they have the size already.
at::Tensor stretched(const at::Tensor& images, const ImageSize& size) {
  if (ImageSize{images.size(2), images.size(3)} == size) return images;
  return at::_upsample_bilinear2d_aa(images.to(at::kFloat), {size.height, size.width}, /*align_corners=*/false);
}

}  // namespace

ViewFormat ViewFormat::of(const ImageSource& source) {
  return {source.view_size(), measured_normalization(source)};
}

ViewFormat ViewFormat::of(const ImageSource& source, const std::optional<Normalization>& known, Communicator& comm) {
  return {source.view_size(), known ? *known : measured_normalization(source, comm)};
}

at::Tensor whole_views(const DecodedImages& images, const ViewFormat& format) {
  if (images.are_features()) return format.normalization.centre(images.together().clone()).to(at::kFloat);
  if (images.have_one_size()) return format.normalization.apply(stretched(images.together(), format.size));
  std::vector<at::Tensor> views;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    views.push_back(format.normalization.apply(stretched(images.image(i), format.size)));
  }
  return at::cat(views);
}

}  // namespace negatron
