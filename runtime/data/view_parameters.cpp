#include "runtime/data/view_parameters.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "samplers/random/philox.h"

namespace negatron {

namespace {

// A box of the drawn area and aspect may not fit; after this many tries the largest one in the middle is taken.
constexpr int kBoxTries = 10;
constexpr double kEraseAspectMin = 0.5;
constexpr double kEraseAspectMax = 2.0;
constexpr std::int64_t kViews = 2;

struct Box {
  double left = 0.0;
  double top = 0.0;
  double width = 1.0;
  double height = 1.0;
};

/// What boxes are drawn from: areas as shares, aspects as width / height.
struct BoxRanges {
  double area_min = 0.0;
  double area_max = 1.0;
  double aspect_min = 1.0;
  double aspect_max = 1.0;
};

double between(CounterRng& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

struct Lengths {
  double width = 1.0;
  double height = 1.0;
};

/// For a box in what has `area` and any shape. The logarithm of the aspect is what is uniform: 1/2 is as likely as 2.
Lengths draw_lengths(CounterRng& random, const BoxRanges& ranges, double area) {
  const double share = between(random, ranges.area_min, ranges.area_max);
  const double aspect = std::exp(between(random, std::log(ranges.aspect_min), std::log(ranges.aspect_max)));
  return {std::sqrt(area * share * aspect), std::sqrt(area * share / aspect)};
}

/// All of the image, or as much of its middle as has an allowed aspect, in whole pixels.
Box middle_crop(const BoxRanges& ranges, double width, double height) {
  Box box{0.0, 0.0, width, height};
  if (width / height < ranges.aspect_min) box.height = std::nearbyint(width / ranges.aspect_min);
  if (width / height > ranges.aspect_max) box.width = std::nearbyint(height * ranges.aspect_max);
  box.left = std::floor((width - box.width) / 2.0);
  box.top = std::floor((height - box.height) / 2.0);
  return box;
}

/// In pixels: torchvision's RandomResizedCrop.get_params.
// Lengths are rounded to pixels before it is asked whether they fit, which in small images lets more of the large boxes
// pass. Example, of 10 x 10 pixels: area 0.32 and aspect 2 give 8 x 4; its left edge is then one of 0, 1, 2 and its top
// edge one of 0 to 6. Area 0.55 with the same aspect gives 10.49 x 5.24, which is 10 x 5 and fits; 0.8 would be 13 wide
// and is drawn anew.
Box draw_crop(CounterRng& random, const BoxRanges& ranges, const ImageSize& size) {
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
  const auto place = [&random](double left_over) { return std::floor(random.uniform() * (left_over + 1.0)); };
  // The whole image was asked for, and not what rounds to its area.
  const int tries = ranges.area_min < 1.0 ? kBoxTries : 0;
  for (int attempt = 0; attempt < tries; ++attempt) {
    const Lengths drawn = draw_lengths(random, ranges, width * height);
    const double wide = std::nearbyint(drawn.width), high = std::nearbyint(drawn.height);
    if (wide < 1.0 || wide > width || high < 1.0 || high > height) continue;
    const double top = place(height - high);
    return {place(width - wide), top, wide, high};
  }
  return middle_crop(ranges, width, height);
}

/// In shares of a view of any size; all of it where no box fits.
Box draw_hole(CounterRng& random, const BoxRanges& ranges) {
  for (int attempt = 0; attempt < kBoxTries; ++attempt) {
    const Lengths drawn = draw_lengths(random, ranges, 1.0);
    if (drawn.width > 1.0 || drawn.height > 1.0) continue;
    const double left = between(random, 0.0, 1.0 - drawn.width);
    return {left, between(random, 0.0, 1.0 - drawn.height), drawn.width, drawn.height};
  }
  return {};
}

Box in_shares(const Box& pixels, const ImageSize& size) {
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
  return {pixels.left / width, pixels.top / height, pixels.width / width, pixels.height / height};
}

// A flip costs nothing: the same crop is walked from its right edge to its left. A crop that starts at 0.1 and is 0.8
// wide becomes start 0.9 and width -0.8, so the first of 4 pixels, whose middle is at 1/8, reads at 0.8.
CropBox crop_of(const Box& box, bool flipped) {
  return {static_cast<float>(flipped ? box.left + box.width : box.left), static_cast<float>(box.top),
          static_cast<float>(flipped ? -box.width : box.width), static_cast<float>(box.height)};
}

/// Each order is equally likely. Takes 3 draws.
void shuffle(CounterRng& random, std::array<ColourChange, 4>& order) {
  for (std::size_t last = order.size() - 1; last > 0; --last) {
    const auto chosen = static_cast<std::size_t>(random.uniform() * static_cast<double>(last + 1));
    std::swap(order[last], order[chosen]);
  }
}

/// From a stream of their own, so that they leave boxes and flips as they were. As everywhere here, every number is
/// drawn whether used or not.
void draw_colours(CounterRng& random, const ViewEffects& effects, const AugmentationOptions& options,
                  ViewParameters& parameters) {
  const double saturation = between(random, 1.0 - options.saturation, 1.0 + options.saturation);
  const double hue = between(random, -options.hue, options.hue);
  shuffle(random, parameters.order);
  parameters.grey = random.uniform() < options.grey_probability;
  parameters.solarised = random.uniform() < effects.solarise_probability;
  if (!parameters.jittered) return;
  parameters.saturation = static_cast<float>(saturation);
  parameters.hue = static_cast<float>(hue);
}

}  // namespace

ImagePart part_of(const CropBox& crop) {
  const auto left = static_cast<double>(crop.left), width = static_cast<double>(crop.width);
  return {std::min(left, left + width), static_cast<double>(crop.top), std::abs(width),
          static_cast<double>(crop.height)};
}

CropBox within(const CropBox& crop, const ImagePart& part) {
  const auto share = [](double value, double whole) { return static_cast<float>(value / whole); };
  return {share(static_cast<double>(crop.left) - part.left, part.width),
          share(static_cast<double>(crop.top) - part.top, part.height),
          share(static_cast<double>(crop.width), part.width), share(static_cast<double>(crop.height), part.height)};
}

ViewParameters draw_view_parameters(std::int64_t id, const ViewNumber& number, const AugmentationOptions& options,
                                    const ImageSize& size) {
  if (number.view < 0 || number.view >= kViews) throw std::invalid_argument("A view is number 0 or 1.");
  const ViewEffects effects = options.effects_of(number.view);
  // The two views of a sample have neighbouring streams, 2 * id and 2 * id + 1. Neither the rank nor the position
  // in the batch is part of the number, which makes views equal for any number of ranks and loader threads.
  const auto epoch = static_cast<std::uint64_t>(number.epoch);
  const auto index = static_cast<std::uint64_t>(id * kViews + number.view);
  CounterRng random(number.seed, Purpose::kAugmentation, epoch, index);
  ViewParameters parameters;
  // Every number is drawn whether used or not, boxes (which take a varying number of draws) last: switching one
  // effect on or off leaves the others as they were.
  const bool flipped = random.uniform() < options.flip_probability;
  parameters.jittered = random.uniform() < options.jitter_probability;
  const double brightness = between(random, 1.0 - options.brightness, 1.0 + options.brightness);
  const double contrast = between(random, 1.0 - options.contrast, 1.0 + options.contrast);
  const bool blurred = random.uniform() < effects.blur_probability;
  const double sigma = between(random, options.blur_sigma_min, options.blur_sigma_max);
  const bool erased = random.uniform() < options.erase_probability;
  const Box crop = in_shares(
      draw_crop(random,
                {options.crop_area_min, options.crop_area_max, options.crop_aspect_min, options.crop_aspect_max}, size),
      size);
  // Its aspect is one of shares: a view may have any shape.
  const Box hole =
      draw_hole(random, {options.erase_area_min, options.erase_area_max, kEraseAspectMin, kEraseAspectMax});
  parameters.crop = crop_of(crop, flipped);
  if (parameters.jittered) {
    parameters.brightness = static_cast<float>(brightness);
    parameters.contrast = static_cast<float>(contrast);
  }
  if (blurred) parameters.blur_sigma = sigma;
  if (erased) {
    parameters.erased = {static_cast<float>(hole.left), static_cast<float>(hole.top),
                         static_cast<float>(hole.left + hole.width), static_cast<float>(hole.top + hole.height)};
  }
  CounterRng colours(number.seed, Purpose::kViewColours, epoch, index);
  draw_colours(colours, effects, options, parameters);
  return parameters;
}

}  // namespace negatron
