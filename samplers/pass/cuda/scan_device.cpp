#include "samplers/pass/cuda/scan_device.h"

#include <stdexcept>
#include <string>

#include <c10/cuda/CUDAStream.h>

#include "samplers/pass/cuda/kernels.h"

namespace negatron {
namespace {

void require_queued(const std::string& refusal) {
  if (!refusal.empty()) throw std::runtime_error("the GPU refused the pass over the bank: " + refusal);
}

class CudaScanDevice : public ScanDevice {
 public:
  c10::DeviceType type() const override { return c10::kCUDA; }
  int shared_bytes() const override { return scan_shared_bytes(); }
  int concurrent_blocks(const BankScan& scan) const override { return concurrent_scan_blocks(scan); }
  void scan(const BankScan& scan) const override {
    require_queued(launch_scan(scan, c10::cuda::getCurrentCUDAStream().stream()));
  }
  void merge(const SliceMerge& merge) const override {
    require_queued(launch_merge(merge, c10::cuda::getCurrentCUDAStream().stream()));
  }
  void score(const ListScoring& lists) const override {
    require_queued(launch_scoring(lists, c10::cuda::getCurrentCUDAStream().stream()));
  }
};

}  // namespace

std::shared_ptr<const ScanDevice> cuda_scan_device() {
  return std::make_shared<CudaScanDevice>();
}

}  // namespace negatron
