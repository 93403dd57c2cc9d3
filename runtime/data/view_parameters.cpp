#include "runtime/data/view_parameters.h"

#include <cmath>
#include <stdexcept>

#include "samplers/random/philox.h"

namespace negatron {

namespace {

// A crop of the drawn area and aspect may not fit the image; after this many tries the whole image is taken, as
// torchvision's RandomResizedCrop does.
constexpr int kCropTries = 10;
constexpr double kEraseAspectMin = 0.5;
constexpr double kEraseAspectMax = 2.0;
constexpr std::int64_t kViews = 2;

struct Box {
  double left = 0.0;
  double top = 0.0;
  double width = 1.0;
  double height = 1.0;
};

double between(CounterRng& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

// Lengths are shares of the sides, so that a box of a given area and aspect has the same numbers in any image.
// Example: area 0.32 and aspect 2 give a width of sqrt(0.64) = 0.8 and a height of sqrt(0.16) = 0.4; its left edge is
// then drawn from [0, 0.2] and its top edge from [0, 0.6]. Area 0.8 with the same aspect would be 1.26 wide and is
// drawn anew. The logarithm of the aspect is what is uniform: 1/2 is as likely as 2.
Box draw_box(CounterRng& random, double area_min, double area_max, double aspect_min, double aspect_max) {
  for (int attempt = 0; attempt < kCropTries; ++attempt) {
    const double area = between(random, area_min, area_max);
    const double aspect = std::exp(between(random, std::log(aspect_min), std::log(aspect_max)));
    const double width = std::sqrt(area * aspect);
    const double height = std::sqrt(area / aspect);
    if (width > 1.0 || height > 1.0) continue;
    return {between(random, 0.0, 1.0 - width), between(random, 0.0, 1.0 - height), width, height};
  }
  return {};
}

}  // namespace

ViewParameters draw_view_parameters(const at::Tensor& ids, const ViewNumber& number,
                                    const AugmentationOptions& options) {
  if (number.view < 0 || number.view >= kViews) throw std::invalid_argument("A view is number 0 or 1.");
  const std::int64_t count = ids.size(0);
  enum Row { kLeft, kTop, kWidth, kHeight, kBrightness, kContrast, kEraseLeft, kEraseTop, kEraseRight, kEraseBottom };
  constexpr std::int64_t kRows = kEraseBottom + 1;
  // One row per parameter: each of the [count] tensors that leave this function is a row of one allocation.
  at::Tensor table = at::empty({kRows, count}, at::kFloat);
  auto rows = table.accessor<float, 2>();
  const auto samples = ids.accessor<std::int64_t, 1>();
  ViewParameters parameters;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto put = [&](Row row, double value) { rows[row][i] = static_cast<float>(value); };
    // The two views of a sample have neighbouring streams, 2 * id and 2 * id + 1. Neither the rank nor the position
    // in the batch is part of the number, which makes views equal for any number of ranks and loader threads.
    CounterRng random(number.seed, Purpose::kAugmentation, static_cast<std::uint64_t>(number.epoch),
                      static_cast<std::uint64_t>(samples[i] * kViews + number.view));
    // Every number is drawn whether used or not, boxes (which take a varying number of draws) last: switching one
    // effect on or off leaves the others as they were.
    const bool flip = random.uniform() < options.flip_probability;
    const bool jitter = random.uniform() < options.jitter_probability;
    const double brightness = between(random, 1.0 - options.brightness, 1.0 + options.brightness);
    const double contrast = between(random, 1.0 - options.contrast, 1.0 + options.contrast);
    const bool blur = random.uniform() < options.blur_probability;
    const double sigma = between(random, options.blur_sigma_min, options.blur_sigma_max);
    const bool erase = random.uniform() < options.erase_probability;
    const Box crop = draw_box(random, options.crop_area_min, options.crop_area_max, options.crop_aspect_min,
                              options.crop_aspect_max);
    const Box hole = draw_box(random, options.erase_area_min, options.erase_area_max, kEraseAspectMin, kEraseAspectMax);
    // A flip costs nothing here: the sampler walks the same crop from its right edge to its left. A crop that starts
    // at 0.1 and is 0.8 wide becomes start 0.9 and width -0.8, so the first of 4 pixels, whose middle is at 1/8,
    // reads at 0.8.
    put(kLeft, flip ? crop.left + crop.width : crop.left);
    put(kWidth, flip ? -crop.width : crop.width);
    put(kTop, crop.top);
    put(kHeight, crop.height);
    // Neutral values stand for "switched off", so that the whole batch takes the same operations whatever was drawn.
    put(kBrightness, jitter ? brightness : 1.0);
    put(kContrast, jitter ? contrast : 1.0);
    put(kEraseLeft, hole.left);
    put(kEraseTop, hole.top);
    put(kEraseRight, erase ? hole.left + hole.width : hole.left);
    put(kEraseBottom, erase ? hole.top + hole.height : hole.top);
    if (blur) {
      parameters.blurred.push_back(i);
      parameters.blur_sigma.push_back(sigma);
    }
  }
  parameters.left = table[kLeft];
  parameters.top = table[kTop];
  parameters.width = table[kWidth];
  parameters.height = table[kHeight];
  parameters.brightness = table[kBrightness];
  parameters.contrast = table[kContrast];
  parameters.erase_left = table[kEraseLeft];
  parameters.erase_top = table[kEraseTop];
  parameters.erase_right = table[kEraseRight];
  parameters.erase_bottom = table[kEraseBottom];
  return parameters;
}

}  // namespace negatron
