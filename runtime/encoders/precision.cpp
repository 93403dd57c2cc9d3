#include "runtime/encoders/precision.h"

#include <ATen/autocast_mode.h>

namespace negatron {

Precision choose_precision(std::optional<Precision> asked, at::Device device) noexcept {
  if (asked) return *asked;
  // Every CUDA device that LibTorch 2.11 is built for with tensor cores (sm80 and later) has bf16.
  return device.is_cuda() || cpu_has_bf16() ? Precision::kBf16 : Precision::kFp32;
}

const char* name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kFp64:
      return "fp64";
  }
  return "unknown";
}

at::ScalarType parameter_dtype(Precision precision) noexcept {
  return precision == Precision::kFp64 ? at::kDouble : at::kFloat;
}

bool cpu_has_bf16() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

PrecisionGuard::PrecisionGuard(Precision precision, at::DeviceType device)
    : device_(device), active_(precision == Precision::kBf16) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  was_dtype_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::increment_nesting();
}

PrecisionGuard::~PrecisionGuard() {
  if (!active_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, was_dtype_);
}

}  // namespace negatron
