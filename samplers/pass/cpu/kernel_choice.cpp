#include "samplers/pass/cpu/kernel_choice.h"

namespace negatron {

const PassKernel& pass_kernel(CpuIsa isa, RowFormat format) {
  switch (require_isa(isa)) {
#if defined(__x86_64__)
    case CpuIsa::kAmxBf16:
      return format == RowFormat::kBf16 ? *amx_bf16_pass_kernel() : avx512_pass_kernel();
    case CpuIsa::kAvx512Bf16:
      return format == RowFormat::kBf16 ? avx512_bf16_pass_kernel() : avx512_pass_kernel();
    case CpuIsa::kAvx512:
      return avx512_pass_kernel();
    case CpuIsa::kAvx2:
      return avx2_pass_kernel();
#endif
    default:
      return portable_pass_kernel();
  }
}

}  // namespace negatron
