#include "samplers/cpu/cpu_isa.h"

#include <stdexcept>

#include "samplers/cpu/amx_machine.h"
#include "samplers/pass/cpu/amx_trial.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {
namespace {

constexpr CpuIsa kFromPlainToBest[] = {CpuIsa::kPortable, CpuIsa::kAvx2, CpuIsa::kAvx512, CpuIsa::kAvx512Bf16,
                                       CpuIsa::kAmxBf16};

}  // namespace

CpuIsa parse_cpu_isa(std::string_view name) {
  if (name == name_of(CpuIsa::kAuto)) return CpuIsa::kAuto;
  for (const CpuIsa isa : kFromPlainToBest) {
    if (name == name_of(isa)) return isa;
  }
  throw std::invalid_argument("--cpu-isa must be auto, amx-bf16, avx512-bf16, avx512, avx2 or portable, got \"" +
                              std::string(name) + "\".");
}

const char* name_of(CpuIsa isa) noexcept {
  switch (isa) {
    case CpuIsa::kAuto:
      return "auto";
    case CpuIsa::kPortable:
      return "portable";
    case CpuIsa::kAvx2:
      return "avx2";
    case CpuIsa::kAvx512:
      return "avx512";
    case CpuIsa::kAvx512Bf16:
      return "avx512-bf16";
    case CpuIsa::kAmxBf16:
      return "amx-bf16";
  }
  return "unknown";
}

bool has_isa(CpuIsa isa) noexcept {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx512_bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  switch (isa) {
    case CpuIsa::kAvx2:
      return avx2;
    case CpuIsa::kAvx512:
      return avx512;
    case CpuIsa::kAvx512Bf16:
      return avx512_bf16;
    case CpuIsa::kAmxBf16:
      return avx512_bf16 && amx_bf16_pass_kernel() != nullptr && machine_has_amx();
    default:
      return true;
  }
#else
  return isa == CpuIsa::kAuto || isa == CpuIsa::kPortable;
#endif
}

std::vector<CpuIsa> available_isas() {
  std::vector<CpuIsa> available;
  for (const CpuIsa isa : kFromPlainToBest) {
    if (has_isa(isa)) available.push_back(isa);
  }
  return available;
}

CpuIsa require_isa(CpuIsa isa) {
  const std::vector<CpuIsa> available = available_isas();
  const CpuIsa wanted = isa == CpuIsa::kAuto ? available.back() : isa;
#if defined(__x86_64__)
  if (wanted == CpuIsa::kAmxBf16 && has_isa(wanted)) {
    static const double distance = kernel_distance(*amx_bf16_pass_kernel(), avx512_bf16_pass_kernel());
    return amx_or_other(isa, distance);
  }
#endif
  if (has_isa(wanted)) return wanted;
  std::string names;
  for (const CpuIsa one : available) names += (names.empty() ? "" : ", ") + std::string(name_of(one));
  throw std::invalid_argument("--cpu-isa " + std::string(name_of(isa)) + ": this machine lacks it; it has " + names +
                              ".");
}

}  // namespace negatron
