#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"
#include "samplers/random/philox.h"

namespace negatron::testing {

/// [count, channels, height, width] of random bytes, the same ones for the same shape.
inline at::Tensor random_images(std::int64_t count, std::int64_t channels = 1, const ImageSize& size = {28, 28}) {
  CounterRng random(5, Purpose::kEvaluation, 0, 0);
  at::Tensor images = at::empty({count, channels, size.height, size.width}, at::kByte);
  auto* bytes = images.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < images.numel(); ++i) bytes[i] = static_cast<std::uint8_t>(random.below(256));
  return images;
}

/// What is drawn for each of the samples.
inline std::vector<ViewParameters> draw_all(const at::Tensor& ids, const ViewNumber& number,
                                            const AugmentationOptions& options, const ImageSize& size = {28, 28}) {
  std::vector<ViewParameters> drawn;
  const auto samples = ids.accessor<std::int64_t, 1>();
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    drawn.push_back(draw_view_parameters(samples[i], number, options, size));
  }
  return drawn;
}

/// One number of each: [b] float.
template <typename Value>
at::Tensor values_of(const std::vector<ViewParameters>& drawn, Value value) {
  std::vector<float> values;
  for (const ViewParameters& one : drawn) values.push_back(static_cast<float>(value(one)));
  return at::tensor(values);
}

}  // namespace negatron::testing
