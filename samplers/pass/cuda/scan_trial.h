#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>

#include <ATen/ATen.h>

#include "samplers/pass/cuda/scan_device.h"

namespace negatron {

/// What a trial of a kernel may take before it is given up. None of them takes a second where it ends at all.
inline constexpr std::chrono::seconds kTrialLimit{20};

/// Milliseconds of one trial, as ScanDevice::time_of. Throws std::runtime_error when it does not end within
/// kTrialLimit: nothing that is queued behind it would run either.
double time_in_trial(const ScanDevice& device, const std::function<void()>& work);

/// Whether the kernel computes on a device what BlockedPass computes there: tried once for each of its shapes, before a
/// result of it is used. The kernel's code is tested thread by thread on a host, which knows a GPU's instructions from
/// their description; where a GPU or a compiler takes them otherwise, a run must lose its speed and not its loss.
class ScanTrial {
 public:
  /// `parts` of a query, as CudaRun. The first call for a shape waits for the device, so it must not be captured in a
  /// graph; one that fails says so once, on the standard error. Throws as time_in_trial(). Local, thread-safe.
  bool passes(const ScanDevice& device, at::Device place, std::int64_t width, int terms, int parts);

 private:
  using Shape = std::tuple<int, std::int64_t, int, int>;  // device, width, terms, parts of a query
  std::mutex mutex_;
  std::map<Shape, bool> passed_;
};

}  // namespace negatron
