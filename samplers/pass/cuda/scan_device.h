#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <c10/core/DeviceType.h>

#include "samplers/pass/cuda/bank_scan.h"
#include "samplers/pass/cuda/list_scoring.h"
#include "samplers/pass/cuda/slice_merge.h"

namespace negatron {

/// Where scans run: the seam between CudaPass and CUDA, so that a test can run the blocks of a scan on the host. Work
/// is queued in order; the host waits for none of it but in time_of(). Local, thread-safe.
class ScanDevice {
 public:
  virtual ~ScanDevice() = default;
  /// Where the tensors of a scan lie.
  virtual c10::DeviceType type() const = 0;
  /// Shared memory that a thread block may have; 0 when the device cannot run scans.
  virtual int shared_bytes() const = 0;
  /// How many thread blocks of such a scan run at a time, at least 1.
  virtual int concurrent_blocks(const BankScan& scan) const = 0;
  /// Throw std::runtime_error when the device refuses.
  virtual void scan(const BankScan& scan) const = 0;
  virtual void merge(const SliceMerge& merge) const = 0;
  virtual void score(const ListScoring& lists) const = 0;
  /// Milliseconds by the device's clock for what `work` queues, once all that was queued before is done; nothing when
  /// that does not come to its end within `limit`. The host waits.
  virtual std::optional<double> time_of(const std::function<void()>& work, std::chrono::milliseconds limit) const = 0;
};

/// The current stream of the current CUDA device; null in a build without CUDA.
std::shared_ptr<const ScanDevice> cuda_scan_device();

}  // namespace negatron
