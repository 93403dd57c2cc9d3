#include "samplers/pass/cpu/kernels/leaf_scan.h"
#include "samplers/pass/cpu/kernels/pair_arithmetic.h"

namespace negatron {

const PassKernel& avx512_bf16_pass_kernel() {
  static const PassKernel kernel = make_pass_kernel<PairArithmetic>();
  return kernel;
}

}  // namespace negatron
