#pragma once

#include "samplers/cpu/cpu_isa.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// How far a kernel over rows in bf16 is from one that is known to be right (kernel_trial.h), with queries in one
/// part and in two, and rows that fill tiles of AMX and that do not. Local.
double kernel_distance(const PassKernel& tried, const PassKernel& known);

/// What becomes of `asked`, kAuto or kAmxBf16, when the kernel of AMX lies `distance` from that of kAvx512Bf16:
/// kAmxBf16 when that is rounding. Else kAuto becomes kAvx512Bf16, which is said once, on the standard error; kAmxBf16
/// throws std::invalid_argument naming --cpu-isa. A run must lose its speed and not its loss.
CpuIsa amx_or_other(CpuIsa asked, double distance);

}  // namespace negatron
