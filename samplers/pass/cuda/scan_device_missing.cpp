// Takes the place of scan_device.cpp in a build without CUDA.

#include "samplers/pass/cuda/scan_device.h"

namespace negatron {

std::shared_ptr<const ScanDevice> cuda_scan_device() {
  return nullptr;
}

}  // namespace negatron
