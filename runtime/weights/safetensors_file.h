#pragma once

#include <filesystem>

#include "runtime/weights/named_weights.h"
#include "runtime/weights/saved_weights.h"

namespace negatron {

/// Reads a file in the format of https://github.com/huggingface/safetensors: the length of the header (8 bytes, little
/// endian), a header in JSON that gives each tensor's dtype, shape and place, and the values, one tensor behind the
/// other, without gaps. All of that is checked before memory is taken. Local. Throws WeightsError.
SavedWeights read_safetensors(const std::filesystem::path& path);

/// Its __metadata__; empty without. Local. Throws WeightsError.
WeightsFacts read_safetensors_facts(const std::filesystem::path& path);

}  // namespace negatron
