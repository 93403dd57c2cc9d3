#include "runtime/data/views/make_views.h"

#include <algorithm>
#include <span>

#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/views/blur.h"
#include "runtime/data/views/colour_jitter.h"
#include "runtime/data/views/crop.h"
#include "runtime/data/views/erase.h"
#include "runtime/data/views/grey_jitter.h"

namespace negatron {
namespace {

/// Views that pass all effects together: as many as stay in a core's cache. 28 x 28 grey ones are 167, and of 224 x 224
/// colours each passes alone.
constexpr std::int64_t kValuesTogether = std::int64_t{1} << 17;

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

at::Tensor make_views(const DecodedImages& images, const std::vector<ViewParameters>& parameters,
                      const AugmentationOptions& options, const ViewFormat& format) {
  const std::int64_t count = images.size();
  require(static_cast<std::int64_t>(parameters.size()) == count, "make_views takes as many parameters as images.");
  const at::Tensor first = images.have_one_size() ? images.together() : images.image(0);
  require(first.is_cpu(), "Views are made on the host, but the images are not there.");
  const ImageSize& size = format.size;
  at::Tensor views = at::empty({count, first.size(1), size.height, size.width}, at::kFloat);
  const std::int64_t values = first.size(1) * size.height * size.width;
  const std::int64_t together = std::max<std::int64_t>(1, kValuesTogether / std::max<std::int64_t>(1, values));
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const Range rows{begin, std::min(begin + together, count)};
    at::Tensor part = views.slice(0, rows.begin, rows.end);
    const auto drawn =
        std::span(parameters).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(rows.size()));
    take_crops(images, rows, drawn, part);
    part.mul_(1.0 / kByteMax);
    change_views(part, drawn, options, format.normalization);
  }
  return views;
}

}  // namespace negatron
