#pragma once

#include <array>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/view_parameters.h"
#include "samplers/random/philox.h"

namespace negatron::reference {

/// Grey views, a batch at a time with LibTorch's own operations: sampled at four neighbours, brightness, contrast,
/// blur, erasing, normalisation. images: [b, 1, h, w] uint8.
at::Tensor plain_grey_views(const at::Tensor& images, const std::vector<ViewParameters>& parameters,
                            const AugmentationOptions& options, const ViewFormat& format);

/// Red, green, blue in 0..1.
using Colour = std::array<double, 3>;

/// Hue, saturation and value in 0..1, and back, as PIL's Convert.c and torchvision's _rgb2hsv and _hsv2rgb have them.
Colour plain_hsv(const Colour& rgb);
Colour plain_rgb(const Colour& hsv);

/// torchvision's adjust_hue, adjust_saturation, adjust_contrast (`mean`: of the grey image), adjust_brightness and
/// rgb_to_grayscale of one pixel; the weights of grey are PIL's.
Colour plain_hue(const Colour& rgb, double turns);
Colour plain_saturation(const Colour& rgb, double factor);
Colour plain_contrast(const Colour& rgb, double factor, double mean);
Colour plain_brightness(const Colour& rgb, double factor);
double plain_grey(const Colour& rgb);

/// Left, top, width and height in whole pixels.
struct PixelBox {
  double left = 0.0, top = 0.0, width = 0.0, height = 0.0;
};

/// RandomResizedCrop.get_params of torchvision.
PixelBox plain_crop(CounterRng& random, const ImageSize& size, const AugmentationOptions& options);

}  // namespace negatron::reference
