#include "runtime/encoders/resnet.h"

#include <gtest/gtest.h>

#include <torch/autograd.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/evaluation_mode.h"
#include "runtime/encoders/initialization.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/encoders/precision.h"
#include "tests/runtime/encoders/small_resnet.h"

namespace negatron {
namespace {

using Shape = std::vector<std::int64_t>;
using testing::hashed;
using testing::small_images;

struct Outcome {
  at::Tensor rows;       // [b, d], of all ranks
  at::Tensor gradients;  // of all parameters, flat, summed over ranks
  at::Tensor buffers;    // all, flat
};

/// One forward and backward of a whole batch of which each rank has its share.
Outcome train_once(const ResNetOptions& options, const Shape& shares) {
  Outcome outcome;
  CommunicatorOptions checked;
  checked.check = true;
  run_ranks(static_cast<int>(shares.size()), checked, [&](Communicator& comm) {
    ContrastiveEncoder encoder(std::make_shared<ResNet>(options, &comm), {.hidden = 16, .output = 8}, &comm);
    initialize(encoder, 3);
    encoder.to(at::kDouble);
    std::int64_t begin = 0;
    for (int rank = 0; rank < comm.rank(); ++rank) begin += shares[static_cast<std::size_t>(rank)];
    const std::int64_t own = shares[static_cast<std::size_t>(comm.rank())];
    const at::Tensor images = hashed(6 * 8 * 8, 1).view({6, 1, 8, 8}).narrow(0, begin, own);
    const torch::Tensor rows = encoder.forward(images);
    (rows * hashed(6 * 8, 2).view({6, 8}).narrow(0, begin, own)).sum().backward();
    std::vector<at::Tensor> gradients;
    for (const torch::Tensor& parameter : encoder.parameters()) gradients.push_back(parameter.grad().flatten());
    std::vector<at::Tensor> buffers;
    for (const torch::Tensor& buffer : encoder.buffers()) buffers.push_back(buffer.to(at::kDouble).flatten());
    const at::Tensor sum = at::cat(gradients);
    comm.all_reduce(sum, ReduceOp::kSum);
    const at::Tensor all_rows = comm.all_gather(rows.detach(), shares);
    if (comm.rank() == 0) outcome = {all_rows, sum, buffers.empty() ? at::zeros({0}) : at::cat(buffers)};
  });
  return outcome;
}

TEST(ResNet, RowsGradientsAndStatisticsDoNotDependOnTheNumberOfRanks) {
  for (const auto norm : {ResNetOptions::Norm::kBatch, ResNetOptions::Norm::kGroup}) {
    ResNetOptions options = small_images();
    options.norm = norm;
    const Outcome one = train_once(options, {6});
    EXPECT_GT(one.gradients.abs().max().item<double>(), 1e-3);
    for (const Shape& shares : {Shape{2, 3, 1}, Shape{4, 0, 2}}) {
      const Outcome many = train_once(options, shares);
      const auto distance = [](const at::Tensor& a, const at::Tensor& b) {
        return a.numel() == 0 ? 0.0 : ((a - b).abs().max() / b.abs().max()).item<double>();
      };
      EXPECT_LT(distance(many.rows, one.rows), 1e-12);
      EXPECT_LT(distance(many.gradients, one.gradients), 1e-12);
      EXPECT_LT(distance(many.buffers, one.buffers), 1e-12);
    }
  }
}

TEST(ResNet, EveryParameterGetsAGradientUnderBf16Too) {
  run_ranks(1, {}, [](Communicator& comm) {
    for (const std::int64_t depth : {18, 50}) {
      // Without bf16 in hardware this one takes twenty seconds.
      if (depth == 50 && !cpu_has_bf16()) continue;
      ContrastiveEncoder encoder(std::make_shared<ResNet>(small_images(depth), &comm), {.hidden = 16, .output = 8});
      initialize(encoder, 3);
      const at::Tensor images = hashed(6 * 8 * 8, 1).view({6, 1, 8, 8}).to(at::kFloat);
      const at::Tensor exact = encoder.forward(images).detach();
      at::Tensor rows;
      {
        const PrecisionGuard guard(Precision::kBf16, at::kCPU);
        rows = encoder.forward(images);
      }
      EXPECT_EQ(rows.scalar_type(), at::kFloat);
      // Over six values of a feature, as here in the last maps, rounding is worth more in a deeper network.
      const double least_cosine = depth == 18 ? 0.98 : 0.5;
      EXPECT_GT((rows.detach() * exact).sum(1).min().item<double>(), least_cosine);
      rows.select(1, 0).sum().backward();
      for (const auto& parameter : encoder.named_parameters()) {
        const at::Tensor& gradient = parameter.value().grad();
        ASSERT_TRUE(gradient.defined()) << parameter.key();
        EXPECT_EQ(gradient.scalar_type(), at::kFloat);
        EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << parameter.key();
        EXPECT_GT(gradient.abs().max().item<double>(), 0.0) << parameter.key();
      }
    }
  });
}

TEST(ResNet, AMomentumCopyHasBuffersOfItsOwn) {
  run_ranks(2, {}, [](Communicator& comm) {
    auto query = std::make_shared<ContrastiveEncoder>(std::make_shared<ResNet>(small_images(), &comm),
                                                      ProjectionHeadOptions{.hidden = 16, .output = 8}, &comm);
    initialize(*query, 3);
    const at::Tensor images = hashed(4 * 8 * 8, comm.rank()).view({4, 1, 8, 8}).to(at::kFloat);
    query->forward(images);
    MomentumEncoder key(query);
    EXPECT_TRUE(at::equal(key.forward(images), query->forward(images).detach()));
    key.forward(images);
    const char* counter = "backbone.layer4.1.bn2.num_batches_tracked";
    EXPECT_EQ(key.encoder().named_buffers()[counter].item<std::int64_t>(), 3);
    EXPECT_EQ(query->named_buffers()[counter].item<std::int64_t>(), 2);
    EXPECT_EQ(key.encoder().named_buffers()[counter].scalar_type(), at::kLong);
  });
}

TEST(ResNet, EvaluationIsLocalAndOfEachImageForItself) {
  run_ranks(2, {}, [](Communicator& comm) {
    ResNet network(small_images(), &comm);
    initialize(network, 1);
    network.to(at::kDouble);
    const at::Tensor images = hashed(3 * 8 * 8, 1).view({3, 1, 8, 8});
    network.forward(images);
    const EvaluationMode evaluation(network);
    // A collective here would wait for rank 0 for ever.
    if (comm.rank() == 0) return;
    EXPECT_TRUE(at::allclose(network.forward(images)[2], network.forward(images.narrow(0, 2, 1))[0], 1e-12, 1e-14));
  });
}

TEST(ResNet, BatchNormNeedsRanksAndGroupNormDoesNot) {
  EXPECT_THROW(ResNet{small_images()}, std::invalid_argument);
  ResNetOptions grouped = small_images();
  grouped.norm = ResNetOptions::Norm::kGroup;
  EXPECT_NO_THROW(ResNet{grouped});
  EXPECT_THROW(ResNet({.depth = 20, .norm = ResNetOptions::Norm::kGroup}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
