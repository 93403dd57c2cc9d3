#pragma once

#include <filesystem>

#include "runtime/weights/named_weights.h"
#include "runtime/weights/saved_weights.h"

namespace negatron {

/// Reads the state dict that torch.save wrote (the zip format, since PyTorch 1.6), by itself or in a checkpoint with
/// whatever else. Nothing in the file is run. Local. Throws WeightsError.
SavedWeights read_torch_file(const std::filesystem::path& path);

/// As read_saved_tensors(). Local. Throws WeightsError.
SavedWeights read_torch_tensors(const std::filesystem::path& path);

/// What write_torch_file() was told to say beside the weights; empty where somebody else wrote the file. Local. Throws
/// WeightsError.
WeightsFacts read_torch_facts(const std::filesystem::path& path);

}  // namespace negatron
