#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/ATen.h>

#include "comm/error.h"
#include "runtime/weights/named_weights.h"

namespace negatron {

/// A file of weights is missing, damaged, of a kind that is not read, or does not fit. One sentence that names the
/// file.
class WeightsError : public Refusal {
 public:
  using Refusal::Refusal;
};

/// Tensors by name, on the host, dense, as a file holds them.
using SavedWeights = std::map<std::string, at::Tensor>;

/// Reads a safetensors file, or what torch.save wrote since PyTorch 1.6: a state dict, or a checkpoint that holds one
/// under "state_dict", "model" or the like. Which of them it is, its first bytes say. Nothing in the file is run, and
/// memory is taken in proportion to its length. Local. Throws WeightsError.
SavedWeights read_saved_weights(const std::filesystem::path& path);

/// The same of every tensor that the file holds by name, beside a state dict as well as in it, and of a tensor that is
/// all it holds, which gets the name "tensor". Local. Throws WeightsError.
SavedWeights read_saved_tensors(const std::filesystem::path& path);

/// What the file says of its weights in words: the metadata of a safetensors file, and what write_torch_file() was
/// told. Local. Throws WeightsError.
WeightsFacts read_weights_facts(const std::filesystem::path& path);

}  // namespace negatron
