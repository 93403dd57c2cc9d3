#include "runtime/training/sgd.h"

#include <gtest/gtest.h>

#include "runtime/encoders/contrastive_encoder.h"
#include "runtime/encoders/conv_encoder.h"

namespace negatron {
namespace {

class Sgd : public ::testing::Test {
 protected:
  Sgd() {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : encoder_.parameters()) parameter.fill_(2.0);
  }

  /// Every trained tensor gets this gradient.
  void set_gradients(double value) {
    for (const at::Tensor& parameter : encoder_.parameters()) {
      parameter.mutable_grad() = at::full_like(parameter, value).detach();
    }
    temperature_.mutable_grad() = at::full({}, value);
  }
  float value_of(const std::string& name) {
    const at::Tensor parameter = encoder_.named_parameters()[name];
    EXPECT_EQ(parameter.min().item<float>(), parameter.max().item<float>()) << name;
    return parameter.max().item<float>();
  }

  ContrastiveEncoder encoder_{
      std::make_shared<ConvEncoder>(ConvEncoderOptions{.channels = {8}, .strides = {2}, .groups = 2}),
      ProjectionHeadOptions{.hidden = 4, .output = 3}};
  torch::Tensor temperature_ = at::full({}, 2.0).requires_grad_();
};

TEST_F(Sgd, DecaysMatricesAndKernelsOnly) {
  auto optimizer = make_sgd(encoder_, {temperature_}, {.momentum = 0.0, .weight_decay = 0.5});
  set_learning_rate(*optimizer, 0.1);
  set_gradients(0.0);
  optimizer->step();
  constexpr float kDecayed = 2.0F - 0.1F * 0.5F * 2.0F;
  EXPECT_FLOAT_EQ(value_of("backbone.conv1.weight"), kDecayed);
  EXPECT_FLOAT_EQ(value_of("head.hidden.weight"), kDecayed);
  EXPECT_FLOAT_EQ(value_of("head.output.weight"), kDecayed);
  for (const char* plain : {"backbone.norm1.weight", "backbone.norm1.bias", "head.hidden.bias", "head.output.bias"}) {
    EXPECT_EQ(value_of(plain), 2.0F) << plain;
  }
  EXPECT_EQ(temperature_.item<float>(), 2.0F);
}

TEST_F(Sgd, TrainsEveryTensorWithMomentum) {
  auto optimizer = make_sgd(encoder_, {temperature_}, {.momentum = 0.5, .weight_decay = 0.0});
  set_learning_rate(*optimizer, 0.1);
  for (int step = 0; step < 2; ++step) {
    set_gradients(1.0);
    optimizer->step();
  }
  constexpr float kExpected = 2.0F - 0.1F * 1.0F - 0.1F * (0.5F + 1.0F);
  for (const auto& parameter : encoder_.named_parameters()) {
    EXPECT_FLOAT_EQ(value_of(parameter.key()), kExpected) << parameter.key();
  }
  EXPECT_FLOAT_EQ(temperature_.item<float>(), kExpected);
}

TEST_F(Sgd, MovesNothingBeforeTheRateIsSet) {
  auto optimizer = make_sgd(encoder_, {temperature_}, {});
  set_gradients(1.0);
  optimizer->step();
  EXPECT_EQ(value_of("head.hidden.weight"), 2.0F);
}

TEST(SgdOptions, RefusesByFlag) {
  EXPECT_THROW((SgdOptions{.momentum = 1.0}.validate()), std::invalid_argument);
  EXPECT_THROW((SgdOptions{.weight_decay = -1e-4}.validate()), std::invalid_argument);
  EXPECT_THROW((SgdOptions{.momentum = 0.0, .nesterov = true}.validate()), std::invalid_argument);
  EXPECT_NO_THROW(SgdOptions{}.validate());
}

}  // namespace
}  // namespace negatron
