#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// images [b, c, h, w] in the memory order that convolutions run fastest in: on a CPU in fp32 (and in bf16 under
/// autocast) channels last, which oneDNN takes as it is, where it would convert others before and behind each
/// convolution; anything else as it came. Images of one channel are in both orders, but only strides tell the layers
/// behind.
at::Tensor with_channels_last(const at::Tensor& images);

}  // namespace negatron
