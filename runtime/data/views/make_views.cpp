#include "runtime/data/views/make_views.h"

#include <algorithm>

#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/views/blur.h"
#include "runtime/data/views/colour_jitter.h"
#include "runtime/data/views/crop.h"
#include "runtime/data/views/erase.h"
#include "runtime/data/views/grey_jitter.h"

namespace negatron {
namespace {

/// In place; views [n, C, H, W] in 0..1.
void change_views(at::Tensor& views, std::span<const ViewParameters> parameters, const AugmentationOptions& options,
                  const Normalization& normalization) {
  if (views.size(1) == kColourChannels) {
    change_colours(views, parameters);
  } else {
    change_brightness_and_contrast(views, parameters, options);
  }
  blur(views, parameters, options.blur_sigma_max);
  solarise_views(views, parameters);
  erase(views, parameters);
  normalization.centre(views);
}

}  // namespace

std::int64_t views_together(std::int64_t channels, const ImageSize& size) {
  constexpr std::int64_t kValuesTogether = std::int64_t{1} << 16;
  const std::int64_t values = channels * size.height * size.width;
  return std::max<std::int64_t>(1, kValuesTogether / std::max<std::int64_t>(1, values));
}

void make_views(const DecodedImages& images, std::span<const ViewParameters> parameters,
                const AugmentationOptions& options, const Normalization& normalization, at::Tensor& views) {
  const std::int64_t count = images.size();
  require(static_cast<std::int64_t>(parameters.size()) == count && views.size(0) == count,
          "make_views takes as many parameters and views as images.");
  require((images.have_one_size() ? images.together() : images.image(0)).is_cpu(),
          "Views are made on the host, but the images are not there.");
  const std::int64_t together = views_together(views.size(1), {views.size(2), views.size(3)});
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const Range rows{begin, std::min(begin + together, count)};
    at::Tensor part = views.slice(0, rows.begin, rows.end);
    const auto drawn = parameters.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(rows.size()));
    take_crops(images, rows, drawn, part);
    part.mul_(1.0 / kByteMax);
    change_views(part, drawn, options, normalization);
  }
}

}  // namespace negatron
