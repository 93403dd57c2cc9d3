#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/cpu/cpu_isa.h"

namespace negatron {

/// Where a planned job would run here.
struct PlaceHere {
  /// Of all ranks.
  std::int64_t rank = 0;
  at::Device device = at::kCPU;
  CpuIsa isa = CpuIsa::kAuto;
};

}  // namespace negatron
