#pragma once

#include <filesystem>

#include "runtime/weights/saved_weights.h"

namespace negatron {

/// Reads the state dict that torch.save wrote (the zip format, since PyTorch 1.6), by itself or in a checkpoint with
/// whatever else. Nothing in the file is run. Local. Throws WeightsError.
SavedWeights read_torch_file(const std::filesystem::path& path);

}  // namespace negatron
