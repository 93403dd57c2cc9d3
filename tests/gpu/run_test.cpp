// Whole runs on a GPU, over NCCL, beside the same runs on the host.

#include <gtest/gtest.h>

#include <c10/cuda/CUDAFunctions.h>

#include "comm/nccl/nccl_communicator.h"
#include "tests/runtime/run/device_run.h"

namespace negatron::testing {
namespace {

DeviceRun on_one_gpu() {
  return {at::kCUDA, 1, [](Communicator& host) { return make_nccl_communicator(host, host.rank(), host.options()); }};
}

TEST(OnAGpu, EveryObjective) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  expect_the_same_objectives(on_one_gpu());
}

TEST(OnAGpu, EverySampler) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  expect_the_same_samplers(on_one_gpu());
}

}  // namespace
}  // namespace negatron::testing
