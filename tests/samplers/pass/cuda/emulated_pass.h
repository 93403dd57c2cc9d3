#pragma once

#include <memory>

#include "samplers/pass/cuda/cuda_pass.h"
#include "tests/samplers/pass/cuda/emulated_device.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron::testing {

/// The pass over an emulated device, of four slices where there are tiles enough.
inline const CudaPass& emulated_pass() {
  static const CudaPass emulated(BlockedPass::kDefaultQueryBlock, std::make_shared<EmulatedDevice>(4));
  return emulated;
}

/// [count, width], of which `valid` [count] bool may score; all where undefined.
inline Rows bf16_rows(std::int64_t count, std::int64_t width, const at::Tensor& valid = at::Tensor()) {
  return make_rows(unit(count, width, 1).to(at::kBFloat16), valid);
}

}  // namespace negatron::testing
