#pragma once

#include <algorithm>
#include <cstdint>

#include <c10/core/Allocator.h>

namespace negatron::testing {

/// Sees every tensor's allocation of a thread for which c10::DebugInfoGuard sets it as PROFILER_STATE. Bytes.
class AllocationMeter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    largest_ = std::max(largest_, size);
    held_ += size;
    most_held_ = std::max(most_held_, held_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t largest() const { return largest_; }
  std::int64_t most_held() const { return most_held_; }

 private:
  std::int64_t largest_ = 0;
  std::int64_t held_ = 0;
  std::int64_t most_held_ = 0;
};

}  // namespace negatron::testing
