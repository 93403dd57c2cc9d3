#pragma once

#include <cstdint>

#include <torch/nn/module.h>

namespace negatron {

/// Sets every convolution, linear and norm layer inside `module` to its starting values, as torchvision and torch do:
///   convolution  normal, std sqrt(2 / (out_channels * kernel area))     Kaiming, fan out, ReLU
///   linear       uniform in +-1/sqrt(in_features), weight and bias      torch's default
///   norm         weight 1, bias 0
/// Numbers come from the counter-based generator, keyed by (seed, number of the parameter in registration order): the
/// same on every rank, for any number of ranks, device and dtype. Another layer with parameters of its own fills them
/// itself, as KnowsItsStart (parameter_streams.h). Local. Throws std::invalid_argument for a parameter that belongs to
/// none of these layers.
void initialize(torch::nn::Module& module, std::uint64_t seed);

}  // namespace negatron
