#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What is said of weights beside them, in words by name.
using WeightsFacts = std::map<std::string, std::string>;

/// Tensors by name, in their order, each name once.
using NamedWeights = std::vector<std::pair<std::string, at::Tensor>>;

}  // namespace negatron
