#include "samplers/cpu/cpu_isa.h"

#include <stdexcept>
#include <string>

#include "samplers/cpu/amx_machine.h"

namespace negatron {
CpuIsa parse_cpu_isa(std::string_view name) {
  if (name == name_of(CpuIsa::kAuto)) return CpuIsa::kAuto;
  for (const CpuIsa isa : kIsasFromPlainToBest) {
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
      return avx512_bf16 && machine_has_amx();
    default:
      return true;
  }
#else
  return isa == CpuIsa::kAuto || isa == CpuIsa::kPortable;
#endif
}

}  // namespace negatron
