#include "runtime/encoders/conv_encoder.h"

#include <gtest/gtest.h>

#include <torch/autograd.h>

#include "runtime/encoders/initialization.h"

namespace negatron {
namespace {

std::string conv_refusal(const ConvEncoderOptions& options) {
  try {
    options.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ConvEncoder, FeaturesAreTheLastWidthTimesTheGrid) {
  ConvEncoder encoder{ConvEncoderOptions{}};
  EXPECT_EQ(encoder.feature_width(), 1024);
  EXPECT_EQ(encoder.forward(at::rand({3, 1, 28, 28})).sizes(), (std::vector<std::int64_t>{3, 1024}));

  ConvEncoder coloured{{.input_channels = 3, .channels = {8, 16}, .strides = {1, 2}, .groups = 4, .pool_grid = 3}};
  EXPECT_EQ(coloured.feature_width(), 144);
  EXPECT_EQ(coloured.forward(at::rand({2, 3, 17, 11})).sizes(), (std::vector<std::int64_t>{2, 144}));
}

TEST(ConvEncoder, PoolsLikeAdaptiveAveragePooling) {
  // 13 x 9 maps on a 4 x 4 grid: cells of different sizes that overlap.
  const ConvEncoderOptions options{.channels = {8}, .strides = {1}, .groups = 2, .pool_grid = 4};
  ConvEncoder encoder{options};
  encoder.to(at::kDouble);
  initialize(encoder, 5);
  const at::Tensor images = at::rand({2, 1, 13, 9}, at::kDouble);
  const at::Tensor maps =
      at::relu(at::group_norm(at::conv2d(images, encoder.named_parameters()["conv1.weight"], {}, 1, 1), 2,
                              encoder.named_parameters()["norm1.weight"], encoder.named_parameters()["norm1.bias"]));
  const at::Tensor expected = at::adaptive_avg_pool2d(maps, {4, 4}).flatten(1);
  EXPECT_TRUE(at::allclose(encoder.forward(images), expected, 1e-12, 1e-14));
}

TEST(ConvEncoder, FeaturesOfAnImageDoNotDependOnTheBatchAroundIt) {
  ConvEncoder encoder{ConvEncoderOptions{}};
  encoder.to(at::kDouble);
  initialize(encoder, 1);
  const at::Tensor images = at::rand({6, 1, 28, 28}, at::kDouble);
  const at::Tensor together = encoder.forward(images);
  EXPECT_TRUE(at::allclose(encoder.forward(images.narrow(0, 4, 1)), together.narrow(0, 4, 1), 1e-12, 1e-14));
}

TEST(ConvEncoder, TakesAnEmptyBatch) {
  // What a rank holds when the last batch of an epoch has fewer samples than there are ranks.
  ConvEncoder encoder{ConvEncoderOptions{}};
  const at::Tensor features = encoder.forward(at::empty({0, 1, 28, 28}));
  EXPECT_EQ(features.sizes(), (std::vector<std::int64_t>{0, 1024}));
  features.sum().backward();
  for (const at::Tensor& parameter : encoder.parameters()) {
    EXPECT_TRUE(!parameter.grad().defined() || parameter.grad().abs().sum().item<double>() == 0.0);
  }
}

TEST(ConvEncoder, RefusesWrongShapesByFlag) {
  EXPECT_NE(conv_refusal({.channels = {}, .strides = {}}).find("--encoder-channels"), std::string::npos);
  EXPECT_NE(conv_refusal({.channels = {64, 100}, .strides = {2, 2}}).find("--encoder-channels"), std::string::npos);
  EXPECT_NE(conv_refusal({.channels = {64, 128}, .strides = {2}}).find("--encoder-strides"), std::string::npos);
  EXPECT_NE(conv_refusal({.channels = {64}, .strides = {0}}).find("--encoder-strides"), std::string::npos);
  EXPECT_NE(conv_refusal({.pool_grid = 0}).find("--pool-grid"), std::string::npos);
  EXPECT_EQ(conv_refusal({}), "accepted");
}

}  // namespace
}  // namespace negatron
