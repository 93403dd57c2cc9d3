#include "samplers/pass/cuda/scan_device.h"

#include <stdexcept>
#include <string>
#include <thread>

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>

#include "samplers/pass/cuda/kernels.h"

namespace negatron {
namespace {

constexpr std::chrono::microseconds kBetweenLooks{50};

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
  std::optional<double> time_of(const std::function<void()>& work, std::chrono::milliseconds limit) const override {
    at::cuda::CUDAEvent begin(cudaEventDefault);
    at::cuda::CUDAEvent end(cudaEventDefault);
    begin.record();
    work();
    end.record();
    // Asked again and again: a wait of CUDA's own would not end either when the device does not.
    const auto give_up = std::chrono::steady_clock::now() + limit;
    while (!end.query()) {
      if (std::chrono::steady_clock::now() > give_up) return std::nullopt;
      std::this_thread::sleep_for(kBetweenLooks);
    }
    return static_cast<double>(begin.elapsed_time(end));
  }
};

}  // namespace

std::shared_ptr<const ScanDevice> cuda_scan_device() {
  return std::make_shared<CudaScanDevice>();
}

}  // namespace negatron
