#pragma once

#include <string>

#include "runtime/weights/named_weights.h"

namespace negatron {

/// The pickle of a state dict (protocol 2), as Python's torch.save makes it: an OrderedDict of tensors, whose values
/// lie elsewhere under the keys "0", "1", ... in the order of `weights`. (LibTorch's own torch::pickle_save marks a
/// dict as one of TorchScript, which torch.load(weights_only=True) refuses.) Contiguous tensors. Local. Throws
/// std::invalid_argument for a type that a state dict has not.
std::string state_dict_pickle(const NamedWeights& weights);

}  // namespace negatron
