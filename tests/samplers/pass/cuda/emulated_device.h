#pragma once

#include <cstdint>

#include "samplers/pass/cuda/scan_device.h"

namespace negatron::testing {

/// Runs scans over host memory, thread block by thread block, with the code that a GPU runs.
class EmulatedDevice : public ScanDevice {
 public:
  /// As if it ran `concurrent` blocks at a time, which decides into how many slices rows are cut. `order` is that of
  /// EmulatedBlock; blocks run in that order too, first to last or last to first.
  explicit EmulatedDevice(int concurrent = 4, std::uint64_t order = 0) : concurrent_(concurrent), order_(order) {}

  c10::DeviceType type() const override { return c10::kCPU; }
  int shared_bytes() const override { return 227 * 1024; }
  int concurrent_blocks(const BankScan&) const override { return concurrent_; }
  void scan(const BankScan& scan) const override;
  void merge(const SliceMerge& merge) const override;
  void score(const ListScoring& lists) const override;
  /// At once, and in no time.
  std::optional<double> time_of(const std::function<void()>& work, std::chrono::milliseconds) const override {
    work();
    return 0.0;
  }

 private:
  int concurrent_;
  std::uint64_t order_;
};

}  // namespace negatron::testing
