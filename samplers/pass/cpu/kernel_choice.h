#pragma once

#include "samplers/cpu/cpu_isa.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// The vector code by which `isa`, which the machine has, scores rows in `format`. Local.
const PassKernel& pass_kernel(CpuIsa isa, RowFormat format);

}  // namespace negatron
