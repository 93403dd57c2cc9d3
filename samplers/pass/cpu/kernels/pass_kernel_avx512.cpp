#include "samplers/pass/cpu/kernels/fp32_arithmetic.h"
#include "samplers/pass/cpu/kernels/leaf_scan.h"
#include "samplers/pass/cpu/kernels/vector_avx512.h"

namespace negatron {

const PassKernel& avx512_pass_kernel() {
  static const PassKernel kernel = make_pass_kernel<Fp32Arithmetic<Vector>>();
  return kernel;
}

}  // namespace negatron
