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
  kAvx512Bf16  ///< and products of bf16; rows in fp32 and fp16 take the code of kAvx512
};

/// "auto", "portable", "avx2", "avx512", "avx512-bf16". Throws std::invalid_argument naming --cpu-isa.
CpuIsa parse_cpu_isa(std::string_view name);
const char* name_of(CpuIsa isa) noexcept;

/// Whether this machine, and this build, have it.
bool has_isa(CpuIsa isa) noexcept;
/// All that this machine has, the best last, without kAuto.
std::vector<CpuIsa> available_isas();
/// `isa`, or the best for kAuto. Throws std::invalid_argument naming --cpu-isa when this machine lacks it.
CpuIsa require_isa(CpuIsa isa);

}  // namespace negatron
