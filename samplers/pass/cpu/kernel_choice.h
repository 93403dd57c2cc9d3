#pragma once

#include <cstdint>
#include <vector>

#include "samplers/cpu/cpu_isa.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// The instruction sets that this machine has and this build has vector code for, the best last, without kAuto. Local.
std::vector<CpuIsa> available_isas();
/// The available one that `isa` stands for: itself, or the best for kAuto. Throws std::invalid_argument naming
/// --cpu-isa when it is not available. kAmxBf16 is tried first, once a process: where its kernel is wrong, kAuto stands
/// for kAvx512Bf16, and asking for kAmxBf16 throws as well (amx_trial.h). Local, thread-safe.
CpuIsa require_isa(CpuIsa isa);

/// The vector code by which require_isa(isa) scores rows in `format`: that of kAvx512 for rows that products of bf16 do
/// not serve. Local, thread-safe.
const PassKernel& pass_kernel(CpuIsa isa, RowFormat format);
/// How often pass_kernel() was asked for `isa` in this process, for kAuto under the name of the best: by which a test
/// sees that nothing but what the run asked for was used. Local, thread-safe.
std::int64_t times_chosen(CpuIsa isa) noexcept;

}  // namespace negatron
