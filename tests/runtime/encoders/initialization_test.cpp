#include "runtime/encoders/initialization.h"

#include <cmath>

#include <gtest/gtest.h>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/embedding.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/contrastive_encoder.h"
#include "runtime/encoders/conv_encoder.h"
#include "runtime/encoders/parameter_streams.h"

namespace negatron {
namespace {

std::shared_ptr<ContrastiveEncoder> make_encoder(std::uint64_t seed) {
  auto encoder = std::make_shared<ContrastiveEncoder>(std::make_shared<ConvEncoder>(ConvEncoderOptions{}),
                                                      ProjectionHeadOptions{});
  initialize(*encoder, seed);
  return encoder;
}

at::Tensor flat_parameters(const ContrastiveEncoder& encoder) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& parameter : encoder.parameters()) parts.push_back(parameter.detach().flatten());
  return at::cat(parts);
}

TEST(Initialization, IsTheSameOnEveryRankAndForAnyNumberOfThem) {
  const at::Tensor alone = flat_parameters(*make_encoder(7));
  run_ranks(3, {}, [&alone](Communicator& comm) {
    at::manual_seed(static_cast<std::uint64_t>(comm.rank()));  // torch's own generator must not matter
    EXPECT_TRUE(at::equal(flat_parameters(*make_encoder(7)), alone)) << "rank " << comm.rank();
  });
}

TEST(Initialization, DependsOnTheSeedAndOnTheParameter) {
  EXPECT_FALSE(at::equal(flat_parameters(*make_encoder(7)), flat_parameters(*make_encoder(8))));
  torch::nn::Sequential twins(torch::nn::Linear(16, 16), torch::nn::Linear(16, 16));
  initialize(*twins, 7);
  EXPECT_FALSE(at::equal(twins[0]->parameters()[0], twins[1]->parameters()[0]));
}

TEST(Initialization, Fp64HoldsTheSameNumbersUnrounded) {
  const at::Tensor single = flat_parameters(*make_encoder(7));
  auto encoder = make_encoder(1);
  encoder->to(at::kDouble);
  initialize(*encoder, 7);
  const at::Tensor full = flat_parameters(*encoder);
  EXPECT_EQ(full.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::equal(full.to(at::kFloat), single));
  EXPECT_FALSE(at::equal(full, single.to(at::kDouble)));
}

TEST(Initialization, FollowsKaimingForConvolutionsAndTorchForLinearLayers) {
  const auto parameters = make_encoder(3)->named_parameters();
  const at::Tensor kernel = parameters["backbone.conv3.weight"];  // [256, 128, 3, 3]
  EXPECT_NEAR(kernel.std().item<double>(), std::sqrt(2.0 / (256 * 9)), 2e-4);
  EXPECT_NEAR(kernel.mean().item<double>(), 0.0, 2e-4);
  const double bound = 1.0 / 32.0;                             // 1 / sqrt(1024)
  const at::Tensor matrix = parameters["head.hidden.weight"];  // [512, 1024]
  EXPECT_LE(matrix.abs().max().item<double>(), bound);
  EXPECT_GT(matrix.abs().max().item<double>(), 0.999 * bound);
  EXPECT_NEAR(matrix.std().item<double>(), bound / std::sqrt(3.0), 1e-4);
  EXPECT_LE(parameters["head.hidden.bias"].abs().max().item<double>(), bound);
  EXPECT_GT(parameters["head.hidden.bias"].abs().max().item<double>(), 0.9 * bound);
  EXPECT_TRUE(at::equal(parameters["backbone.norm2.weight"], at::ones({128})));
  EXPECT_TRUE(at::equal(parameters["backbone.norm2.bias"], at::zeros({128})));
}

/// A table of positions, which is no layer of torch, and a linear layer behind it.
struct Positions : torch::nn::Module, KnowsItsStart {
  Positions() {
    table = register_parameter("table", at::empty({5, 3}));
    scale = register_parameter("scale", at::empty({3}));
    linear = register_module("linear", torch::nn::Linear(3, 3));
  }
  void fill_parameters(ParameterStreams& streams) override {
    streams.fill(table, [](CounterRng& random) { return 0.02 * random.normal(); });
    streams.fill_constant(scale, 2.0);
  }

  at::Tensor table;
  at::Tensor scale;
  torch::nn::Linear linear{nullptr};
};

TEST(Initialization, ALayerMayKnowItsOwnStart) {
  Positions layer;
  initialize(layer, 7);
  CounterRng first(7, Purpose::kInitialization, 0, 0), third(7, Purpose::kInitialization, 0, 2);
  EXPECT_EQ(layer.table[0][0].item<float>(), static_cast<float>(0.02 * first.normal()));
  EXPECT_TRUE(at::equal(layer.scale, at::full({3}, 2.0)));
  // Its own parameters have the first numbers; those of its children are filled as ever.
  const double bound = 1.0 / std::sqrt(3.0);
  EXPECT_EQ(layer.linear->weight[0][0].item<float>(), static_cast<float>(bound * (2.0 * third.uniform() - 1.0)));
}

TEST(Initialization, RefusesLayersThatItDoesNotKnow) {
  torch::nn::Embedding table(4, 2);
  EXPECT_THROW(initialize(*table, 0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
