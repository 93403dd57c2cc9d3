#include "samplers/pass/fp32_arithmetic.h"
#include "samplers/pass/leaf_scan.h"
#include "samplers/pass/vector_portable.h"

namespace negatron {

const PassKernel& portable_pass_kernel() {
  static const PassKernel kernel = make_pass_kernel<Fp32Arithmetic<Vector>>();
  return kernel;
}

}  // namespace negatron
