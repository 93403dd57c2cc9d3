#pragma once

#include <optional>

#include <ATen/ATen.h>

namespace negatron {

/// What the encoders compute in. Parameters, gradients, optimizer and loss are fp32, or all fp64 for kFp64.
enum class Precision {
  kFp32,
  /// Maps and products in bf16 by autocast; statistics of norms, sums inside products and unit rows in fp32.
  kBf16,
  kFp64,
};

/// What was asked for, or, of nothing, bf16 where `device` computes in it natively and else fp32. Local.
Precision choose_precision(std::optional<Precision> asked, at::Device device) noexcept;
const char* name_of(Precision precision) noexcept;
/// dtype of the parameters.
at::ScalarType parameter_dtype(Precision precision) noexcept;

/// True when this CPU multiplies bf16 in hardware (AVX-512 BF16, and so every CPU with AMX).
bool cpu_has_bf16() noexcept;

/// While it lives, operations of this thread on `device` run under autocast when `precision` is kBf16; otherwise it
/// does nothing. It ends with the forward pass: backward replays the types that forward chose. The end of the outermost
/// guard drops the bf16 copies of the weights, which an optimizer step would make stale. Nests.
///
/// One guard must not hold a forward pass with gradient behind one without of the same module: the second would reuse
/// weights that were converted outside the graph, and they would get no gradient.
class PrecisionGuard {
 public:
  PrecisionGuard(Precision precision, at::DeviceType device);
  ~PrecisionGuard();
  PrecisionGuard(const PrecisionGuard&) = delete;
  PrecisionGuard& operator=(const PrecisionGuard&) = delete;

 private:
  at::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  at::ScalarType was_dtype_ = at::kBFloat16;
};

}  // namespace negatron
