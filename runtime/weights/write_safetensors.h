#pragma once

#include <filesystem>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/weights/named_weights.h"

namespace negatron {

/// Writes a new file in the format of https://github.com/huggingface/safetensors, with `facts` as its __metadata__.
/// Values of the widest types come first, so that each lies at a multiple of its size. Read back and synced when this
/// returns; after a throw it is good for nothing. Tensors of any device and strides. Local. Throws SnapshotError, and
/// std::invalid_argument for a type that the format has not.
void write_safetensors(FileLayer& files, const std::filesystem::path& path, const NamedWeights& weights,
                       const WeightsFacts& facts);

}  // namespace negatron
