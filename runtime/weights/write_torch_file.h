#pragma once

#include <filesystem>
#include <string_view>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/weights/named_weights.h"

namespace negatron {

/// The file within a torch file that holds its facts, as a JSON object of texts; Python does not look at it.
inline constexpr std::string_view kTorchFacts = "negatron.json";

/// Writes a new file as torch.save writes a state dict: Python's torch.load(FILE, weights_only=True) gives an
/// OrderedDict of dense tensors on the host, in the order of `weights`. Each tensor has values of its own. Synced when
/// this returns; after a throw it is good for nothing. Tensors of any device and strides. Local. Throws SnapshotError,
/// and std::invalid_argument for a type that a state dict has not.
void write_torch_file(FileLayer& files, const std::filesystem::path& path, const NamedWeights& weights,
                      const WeightsFacts& facts);

}  // namespace negatron
