#pragma once

#include "samplers/pass/cpu_isa.h"
#include "samplers/pass/pass_kernel.h"

namespace negatron {

/// The vector code by which `isa`, which the machine has, scores rows in `format`. Local.
const PassKernel& pass_kernel(CpuIsa isa, RowFormat format);

}  // namespace negatron
