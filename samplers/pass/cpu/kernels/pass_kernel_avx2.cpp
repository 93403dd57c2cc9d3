#include "samplers/pass/cpu/kernels/fp32_arithmetic.h"
#include "samplers/pass/cpu/kernels/leaf_scan.h"
#include "samplers/pass/cpu/kernels/vector_avx2.h"

namespace negatron {

const PassKernel& avx2_pass_kernel() {
  static const PassKernel kernel = make_pass_kernel<Fp32Arithmetic<Vector>>();
  return kernel;
}

}  // namespace negatron
