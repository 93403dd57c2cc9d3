#pragma once

#include <ATen/ATen.h>

#include "runtime/encoders/precision.h"

namespace negatron {

/// Where and in what a run computes: what the options leave to the machine, resolved.
struct ComputePlace {
  at::Device device = at::kCPU;
  Precision precision = Precision::kFp32;
};

}  // namespace negatron
