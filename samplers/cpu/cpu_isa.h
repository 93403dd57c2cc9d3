#pragma once

#include <string_view>

namespace negatron {

/// The instruction sets of a CPU that a pass has vector code for.
enum class CpuIsa {
  kAuto,      ///< the best that the machine has
  kPortable,  ///< any machine
  kAvx2,      ///< AVX2 with FMA
  kAvx512,
  kAvx512Bf16,  ///< and products of bf16; rows in fp32 and fp16 take the code of kAvx512
  kAmxBf16      ///< the same with products in tiles (amx_machine.h)
};

/// The value with this name: "auto", "portable", "avx2", "avx512", "avx512-bf16" or "amx-bf16". Throws
/// std::invalid_argument naming --cpu-isa.
CpuIsa parse_cpu_isa(std::string_view name);
/// The name that parse_cpu_isa() reads.
const char* name_of(CpuIsa isa) noexcept;

/// All but kAuto, each with what those before it have and more.
inline constexpr CpuIsa kIsasFromPlainToBest[] = {CpuIsa::kPortable, CpuIsa::kAvx2, CpuIsa::kAvx512,
                                                  CpuIsa::kAvx512Bf16, CpuIsa::kAmxBf16};

/// Whether this machine has it; kAuto and kPortable every machine has. Of kAmxBf16 the system is asked (amx_machine.h).
bool has_isa(CpuIsa isa) noexcept;

}  // namespace negatron
