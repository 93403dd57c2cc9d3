#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace negatron {

/// The vector code that a pass may run on a CPU.
enum class CpuIsa {
  kAuto,      ///< the best that the machine has
  kPortable,  ///< any machine
  kAvx2,      ///< AVX2 with FMA
  kAvx512,
  kAvx512Bf16,  ///< and products of bf16; rows in fp32 and fp16 take the code of kAvx512
  kAmxBf16      ///< the same with products in tiles (amx_arithmetic.h)
};

/// "auto", "portable", "avx2", "avx512", "avx512-bf16", "amx-bf16". Throws std::invalid_argument naming --cpu-isa.
CpuIsa parse_cpu_isa(std::string_view name);
const char* name_of(CpuIsa isa) noexcept;

/// Whether this machine, and this build, have it. Of kAmxBf16 the system is asked (amx_machine.h).
bool has_isa(CpuIsa isa) noexcept;
/// All that this machine has, the best last, without kAuto.
std::vector<CpuIsa> available_isas();
/// `isa`, or the best for kAuto. Throws std::invalid_argument naming --cpu-isa when this machine lacks it. kAmxBf16 is
/// tried first, once a process: where it is wrong kAuto is kAvx512Bf16, and asking for it throws as well (amx_trial.h).
CpuIsa require_isa(CpuIsa isa);

}  // namespace negatron
