// Whole runs on a GPU, over NCCL, beside the same runs on the host.

#include <gtest/gtest.h>

#include <c10/cuda/CUDAFunctions.h>

#include "comm/nccl/nccl_communicator.h"
#include "tests/runtime/run/device_run.h"

namespace negatron::testing {
namespace {

DeviceRun on_one_gpu() {
  // As `negatron pretrain` computes: in fp32 where the host does, and alike in every run.
  at::Context& context = at::globalContext();
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV, at::Float32Precision::IEEE);
  context.setDeterministicCuDNN(true);
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

TEST(OnAGpu, GoesOnToTheLastBit) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  PretrainOptions options = watched_options("info-nce");
  options.sample_types = "";
  options.sample_counts = "";
  options.max_steps = 16;
  for (const at::ScalarType rows : {at::kFloat, at::kBFloat16}) {
    options.bank_dtype = rows;
    expect_the_same_bits_after_a_stop(on_one_gpu(), options);
  }
}

TEST(OnAGpu, ViewsThatAreMadeThere) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  expect_the_same_with_views_made_there(on_one_gpu());
}

TEST(OnAGpu, BatchNorms) {
  if (c10::cuda::device_count() < 1) GTEST_SKIP() << "needs 1 GPU(s), found 0";
  PretrainOptions options = watched_options("info-nce");
  options.encoder.name = "resnet18";
  options.encoder.stem = "cifar";
  options.max_steps = 2;
  EXPECT_FALSE(expect_the_same_run(on_one_gpu(), options).empty());
}

}  // namespace
}  // namespace negatron::testing
