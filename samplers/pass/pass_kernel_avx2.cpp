#include "samplers/pass/fp32_arithmetic.h"
#include "samplers/pass/leaf_scan.h"
#include "samplers/pass/vector_avx2.h"

namespace negatron {

const PassKernel& avx2_pass_kernel() {
  static const PassKernel kernel = make_pass_kernel<Fp32Arithmetic<Vector>>();
  return kernel;
}

}  // namespace negatron
