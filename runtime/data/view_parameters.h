#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"

namespace negatron {

/// What was drawn for the views of a batch; lengths are shares of the image's width and height. Host tensors.
struct ViewParameters {
  // Where the crop starts and how far it runs; a flipped view starts at the right and runs with negative width.
  at::Tensor left, top, width, height;   // [b] float
  at::Tensor brightness, contrast;       // [b] float, factors
  at::Tensor erase_left, erase_top;      // [b] float
  at::Tensor erase_right, erase_bottom;  // [b] float; equal to left and top where nothing is erased
  std::vector<std::int64_t> blurred;     // batch rows that are blurred
  std::vector<double> blur_sigma;        // of these rows, in pixels
};

/// Draws them for each sample from (seed, epoch, sample, view) alone. ids: [b] int64 on the host. Local.
ViewParameters draw_view_parameters(const at::Tensor& ids, const ViewNumber& number,
                                    const AugmentationOptions& options);

}  // namespace negatron
