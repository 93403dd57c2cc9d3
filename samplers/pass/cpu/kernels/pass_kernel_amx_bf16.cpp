#include "samplers/pass/cpu/kernels/pass_kernel.h"

// Set by -mamx-bf16, which compilers take that know AMX; clang before 15 spells it the second way.
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
#include "samplers/pass/cpu/kernels/amx_arithmetic.h"
#include "samplers/pass/cpu/kernels/amx_tiles.h"

namespace negatron {

const PassKernel* amx_bf16_pass_kernel() {
  static const PassKernel kernel = make_amx_kernel<AmxTiles>();
  return &kernel;
}

}  // namespace negatron
#else
namespace negatron {

const PassKernel* amx_bf16_pass_kernel() {
  return nullptr;
}

}  // namespace negatron
#endif
