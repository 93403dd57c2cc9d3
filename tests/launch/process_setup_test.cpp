#include "launch/process_setup.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(ProcessSetup, GpuArithmeticIsFp32AndRepeatsItselfUnlessAskedOtherwise) {
  const at::Context& context = at::globalContext();
  choose_gpu_arithmetic(/*tf32=*/false, /*benchmark=*/false);
  EXPECT_FALSE(context.allowTF32CuDNN(at::Float32Op::CONV)) << "torch's own default is TF32";
  EXPECT_FALSE(context.allowTF32CuBLAS());
  EXPECT_FALSE(context.benchmarkCuDNN());
  EXPECT_TRUE(context.deterministicCuDNN());
  choose_gpu_arithmetic(/*tf32=*/true, /*benchmark=*/true);
  EXPECT_TRUE(context.allowTF32CuDNN(at::Float32Op::CONV));
  EXPECT_FALSE(context.allowTF32CuBLAS()) << "scores decide which rows are hardest";
  EXPECT_TRUE(context.benchmarkCuDNN());
  EXPECT_FALSE(context.deterministicCuDNN());
  choose_gpu_arithmetic(/*tf32=*/false, /*benchmark=*/false);
}

}  // namespace
}  // namespace negatron::testing
