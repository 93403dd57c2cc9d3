#include "launch/process_setup.h"

#include <ATen/Context.h>

#include <limits>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace negatron {
void keep_freed_memory() {
#if defined(__GLIBC__)
  // The most that glibc takes: larger blocks, of which a step has few, are mapped one by one.
  constexpr int kLargestInHeap = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

void choose_gpu_arithmetic(bool tf32, bool benchmark) {
  at::Context& context = at::globalContext();
  const auto convolutions = tf32 ? at::Float32Precision::TF32 : at::Float32Precision::IEEE;
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV, convolutions);
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL, at::Float32Precision::IEEE);
  context.setBenchmarkCuDNN(benchmark);
  context.setDeterministicCuDNN(!benchmark);
}

}  // namespace negatron
