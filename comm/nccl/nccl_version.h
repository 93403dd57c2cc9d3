#pragma once

#include <string>

namespace negatron {

/// What a build with CUDA runs on: "CUDA 13.0, NCCL 2.27.7"; empty in one without. Needs no GPU. Local.
std::string cuda_and_nccl_version();

}  // namespace negatron
