#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// images [b, c, h, w] in the memory order that convolutions run fastest in: in fp32 (and in bf16 under autocast)
/// channels last, which oneDNN and the tensor cores of a GPU take as it is, where they would convert others before and
/// behind each convolution; fp64 as it came. Images of one channel are in both orders, but only strides tell the layers
/// behind.
at::Tensor with_channels_last(const at::Tensor& images);

}  // namespace negatron
