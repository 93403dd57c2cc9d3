#include "runtime/evaluation/features.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <ATen/core/grad_mode.h>

namespace negatron {

at::Tensor unit_rows(const at::Tensor& rows) {
  // Below this length a row is as good as zero and stays what it is.
  constexpr double kLeastLength = 1e-12;
  const at::Tensor values = rows.to(at::kFloat);
  return values / values.norm(2, 1, /*keepdim=*/true).clamp_min_(kLeastLength);
}

at::Tensor pixels_as_features(const at::Tensor& views) {
  return views.flatten(1);
}

at::Tensor feature_rows(const FeatureFunction& function, const InputFunction& inputs, std::int64_t count,
                        std::int64_t batch, RowLength length) {
  if (batch < 1) throw std::invalid_argument("Features need batches of at least 1 image.");
  if (count == 0) throw std::invalid_argument("Features need at least 1 image.");
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const at::Tensor made = function(inputs({begin, std::min(begin + batch, count)}));
    parts.push_back(length == RowLength::kUnit ? unit_rows(made) : made.to(at::kFloat));
  }
  return at::cat(parts);
}

at::Tensor inputs_of(const ImageSource& images, const at::Tensor& ids, const MakeInputs& make) {
  const std::int64_t count = ids.size(0), together = loaded_together(images);
  at::Tensor inputs;
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const std::int64_t end = std::min(begin + together, count);
    const at::Tensor some = ids.slice(0, begin, end);
    const at::Tensor made = make(images.load(some), some);
    if (end - begin == count) return made;
    if (begin == 0) inputs = at::empty({count, made.size(1), made.size(2), made.size(3)}, made.options());
    inputs.slice(0, begin, end).copy_(made);
  }
  return inputs;
}

at::Tensor extract_features(const FeatureFunction& function, const ImageSource& images, const at::Tensor& ids,
                            const ViewFormat& format, std::int64_t batch, RowLength length) {
  const auto inputs = [&](const Range& range) {
    return inputs_of(images, ids.slice(0, range.begin, range.end),
                     [&](const DecodedImages& loaded, const at::Tensor&) { return whole_views(loaded, format); });
  };
  return feature_rows(function, inputs, ids.size(0), batch, length);
}

}  // namespace negatron
