#include "samplers/pass/cpu/kernel_choice.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "samplers/pass/cpu/amx_trial.h"

namespace negatron {
namespace {

/// One for each CpuIsa, of which kAmxBf16 is the last.
std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(CpuIsa::kAmxBf16) + 1> choices{};

/// Whether this build has vector code for it.
bool has_kernel(CpuIsa isa) {
#if defined(__x86_64__)
  return isa != CpuIsa::kAmxBf16 || amx_bf16_pass_kernel() != nullptr;
#else
  return isa == CpuIsa::kPortable;
#endif
}

}  // namespace

std::vector<CpuIsa> available_isas() {
  std::vector<CpuIsa> available;
  for (const CpuIsa isa : kIsasFromPlainToBest) {
    if (has_kernel(isa) && has_isa(isa)) available.push_back(isa);
  }
  return available;
}

CpuIsa require_isa(CpuIsa isa) {
  const std::vector<CpuIsa> available = available_isas();
  const auto is_available = [&available](CpuIsa one) {
    return std::find(available.begin(), available.end(), one) != available.end();
  };
  const CpuIsa wanted = isa == CpuIsa::kAuto ? available.back() : isa;
#if defined(__x86_64__)
  if (wanted == CpuIsa::kAmxBf16 && is_available(wanted)) {
    // Once a process, whichever thread comes first; the others wait for it.
    static const double distance = kernel_distance(*amx_bf16_pass_kernel(), avx512_bf16_pass_kernel());
    return amx_or_other(isa, distance);
  }
#endif
  if (is_available(wanted)) return wanted;
  std::string names;
  for (const CpuIsa one : available) names += (names.empty() ? "" : ", ") + std::string(name_of(one));
  throw std::invalid_argument("--cpu-isa " + std::string(name_of(isa)) + ": this machine lacks it; it has " + names +
                              ".");
}

std::int64_t times_chosen(CpuIsa isa) noexcept {
  return choices[static_cast<std::size_t>(isa)];
}

const PassKernel& pass_kernel(CpuIsa isa, RowFormat format) {
  const CpuIsa chosen = require_isa(isa);
  ++choices[static_cast<std::size_t>(chosen)];
  switch (chosen) {
#if defined(__x86_64__)
    case CpuIsa::kAmxBf16:
      // Products of bf16 pairs read rows as they lie. Rows in fp32 or fp16 have digits that bf16 does not hold.
      return format == RowFormat::kBf16 ? *amx_bf16_pass_kernel() : avx512_pass_kernel();
    case CpuIsa::kAvx512Bf16:
      return format == RowFormat::kBf16 ? avx512_bf16_pass_kernel() : avx512_pass_kernel();
    case CpuIsa::kAvx512:
      return avx512_pass_kernel();
    case CpuIsa::kAvx2:
      return avx2_pass_kernel();
#endif
    default:
      return portable_pass_kernel();
  }
}

}  // namespace negatron
