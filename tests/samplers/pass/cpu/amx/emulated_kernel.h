#pragma once

#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron::testing {

/// The code of amx_bf16_pass_kernel() on emulated tiles. For machines that have kAvx512Bf16.
const PassKernel& emulated_amx_kernel();

}  // namespace negatron::testing
