#pragma once

#include <cstdint>

#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cuda/cuda_pass.h"

namespace negatron {

/// The fastest pass of where the rows lie: FastPass on a CPU, CudaPass on a GPU.
class DevicePass : public Pass {
 public:
  /// As FastPass.
  explicit DevicePass(CpuIsa isa = CpuIsa::kAuto, std::int64_t query_block = BlockedPass::kDefaultQueryBlock)
      : on_cpu_(isa, query_block), on_gpu_(query_block) {}

  PassResult run(const Rows& rows, const PassRequest& request) const override;
  std::int64_t query_block() const noexcept { return on_cpu_.query_block(); }

 private:
  FastPass on_cpu_;
  CudaPass on_gpu_;
};

}  // namespace negatron
