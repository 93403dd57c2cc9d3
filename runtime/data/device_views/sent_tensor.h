#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// Memory of the host that is filled to be sent: pinned where `device` is a GPU. Local.
at::Tensor empty_to_send(at::IntArrayRef sizes, at::ScalarType type, at::Device device);

/// On `device` what was filled; the host does not wait, nor change it any more. Local.
at::Tensor sent(const at::Tensor& filled, at::Device device);

}  // namespace negatron
