#pragma once

#include <cstdint>

#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cuda/cuda_pass.h"

namespace negatron {

/// The fastest pass of where the rows lie: FastPass on a CPU, CudaPass on a GPU. It is the door of this room: who wants
/// a pass makes one of these, once a run with the vector code that the run chose, and hands it on; nothing else outside
/// includes the passes of a device.
class DevicePass : public Pass {
 public:
  /// `isa` is the vector code on a CPU and `query_block` that of BlockedPass, to which both pass on what they do not
  /// serve. Throws std::invalid_argument when the machine lacks `isa` or the block is below 1.
  explicit DevicePass(CpuIsa isa = CpuIsa::kAuto, std::int64_t query_block = BlockedPass::kDefaultQueryBlock)
      : on_cpu_(isa, query_block), on_gpu_(query_block) {}

  PassResult run(const Rows& rows, const PassRequest& request) const override;
  at::Tensor best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                  std::int64_t m) const override;
  /// As CudaPass: who serves what on a GPU, and how long both take. Only where `rows` lie on one.
  GpuPassTimes trial_times(const Rows& rows, const PassRequest& request) const {
    return on_gpu_.trial_times(rows, request);
  }
  void prefer(GpuPass pass, int terms) { on_gpu_.prefer(pass, terms); }
  GpuPass preferred(int terms) const { return on_gpu_.preferred(terms); }
  std::int64_t query_block() const noexcept { return on_cpu_.query_block(); }

 private:
  const Pass& own_of(const Rows& rows) const;

  FastPass on_cpu_;
  CudaPass on_gpu_;
};

}  // namespace negatron
