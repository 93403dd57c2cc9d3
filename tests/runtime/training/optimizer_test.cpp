#include "runtime/training/optimizers/optimizer.h"

#include <cmath>

#include <gtest/gtest.h>

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "runtime/encoders/contrastive_encoder.h"
#include "runtime/encoders/conv_encoder.h"
#include "runtime/training/optimizers/adamw.h"
#include "runtime/training/optimizers/lars.h"
#include "runtime/training/optimizers/sgd.h"
#include "tests/support/stand_in_device.h"

namespace negatron {
namespace {

constexpr OptimizerKind kKinds[] = {OptimizerKind::kSgd, OptimizerKind::kLars, OptimizerKind::kAdamW};

class Optimizers : public ::testing::Test {
 protected:
  Optimizers() { fill(2.0); }

  void fill(double value) {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : encoder_.parameters()) parameter.fill_(value);
    temperature_.fill_(value);
  }
  std::unique_ptr<Optimizer> make(const OptimizerOptions& options) {
    return make_optimizer(encoder_, {temperature_}, options);
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

constexpr const char* kMatrices[] = {"backbone.conv1.weight", "head.hidden.weight", "head.output.weight"};
constexpr const char* kPlain[] = {"backbone.norm1.weight", "backbone.norm1.bias", "head.hidden.bias",
                                  "head.output.bias"};

/// Weights after some steps of gradients that differ from step to step and from weight to weight.
template <class Step>
std::vector<at::Tensor> weights_after(std::vector<at::Tensor> weights, const Step& step) {
  for (int i = 1; i <= 4; ++i) {
    for (std::size_t w = 0; w < weights.size(); ++w) {
      at::Tensor gradient = at::arange(weights[w].numel(), at::kDouble).add(static_cast<double>(w)).mul(i).sin();
      weights[w].mutable_grad() = gradient.view(weights[w].sizes()).to(weights[w].options().requires_grad(false));
    }
    // The last one has a gradient in the second step alone.
    if (i != 2) weights.back().mutable_grad() = at::Tensor();
    step();
  }
  std::vector<at::Tensor> after;
  for (const at::Tensor& weight : weights) after.push_back(weight.detach().cpu());
  return after;
}

std::vector<at::Tensor> some_weights(at::Device device) {
  std::vector<at::Tensor> weights;
  for (const std::vector<std::int64_t>& sizes : std::vector<std::vector<std::int64_t>>{{3, 2}, {4}, {2, 2}, {5}}) {
    at::Tensor weight = at::arange(1, 1 + c10::multiply_integers(sizes), at::kDouble).cos().view(sizes);
    weights.push_back(weight.to(device).requires_grad_());
  }
  return weights;
}

constexpr double kRate = 0.3;

/// `Own` on a CPU, where tensors move one by one, and on a device, where they move together; the first two of them
/// decay.
template <class Own>
void expect_to_the_last_bit(const OptimizerOptions& options, const std::vector<at::Tensor>& expected) {
  for (const at::Device device : {at::Device(at::kCPU), testing::stand_in_device()}) {
    const auto weights = some_weights(device);
    Own optimizer({{weights.begin(), weights.begin() + 2}, {weights.begin() + 2, weights.end()}}, options);
    const auto actual = weights_after(weights, [&] { optimizer.step(kRate); });
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(at::equal(actual[i], expected[i])) << device << i;
  }
}

/// The same by an optimizer of torch's; `options` are those of weights that do not decay.
template <class Torchs, class Options>
std::vector<at::Tensor> torchs_weights(const Options& options, double weight_decay) {
  const auto weights = some_weights(at::kCPU);
  Options decaying = options;
  decaying.weight_decay(weight_decay);
  Torchs first(std::vector<at::Tensor>(weights.begin(), weights.begin() + 2), decaying);
  Torchs second(std::vector<at::Tensor>(weights.begin() + 2, weights.end()), options);
  return weights_after(weights, [&] { first.step(), second.step(); });
}

TEST(Sgd, IsTorchsToTheLastBit) {
  for (const bool nesterov : {false, true}) {
    const double momentum = nesterov ? 0.9 : 0.7;
    expect_to_the_last_bit<Sgd>(
        {.momentum = momentum, .weight_decay = 0.1, .nesterov = nesterov},
        torchs_weights<torch::optim::SGD>(torch::optim::SGDOptions(kRate).momentum(momentum).nesterov(nesterov), 0.1));
  }
}

TEST(AdamW, IsTorchsToTheLastBit) {
  expect_to_the_last_bit<AdamW>(
      {.weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.95},
      torchs_weights<torch::optim::AdamW>(torch::optim::AdamWOptions(kRate).betas({0.8, 0.95}).weight_decay(0.0), 0.1));
}

TEST(Lars, IsTheSameWhereTensorsMoveTogether) {
  const OptimizerOptions options{.momentum = 0.7, .weight_decay = 0.1, .trust_coefficient = 0.5};
  const auto weights = some_weights(at::kCPU);
  Lars one_by_one({{weights.begin(), weights.begin() + 2}, {weights.begin() + 2, weights.end()}}, options);
  expect_to_the_last_bit<Lars>(options, weights_after(weights, [&] { one_by_one.step(kRate); }));
}

TEST_F(Optimizers, DecayMatricesAndKernelsOnly) {
  for (const OptimizerKind kind : kKinds) {
    fill(2.0);
    const auto optimizer = make({.kind = kind, .momentum = 0.0, .weight_decay = 0.5, .trust_coefficient = 1.0});
    set_gradients(0.0);
    optimizer->step(0.1);
    // LARS with a trust of 1 goes as far as the tensor is long: by rate * |p|, which is rate * 2 for each element.
    const float decayed = kind == OptimizerKind::kLars ? 2.0F - 0.1F * 2.0F : 2.0F - 0.1F * 0.5F * 2.0F;
    for (const char* matrix : kMatrices) EXPECT_NEAR(value_of(matrix), decayed, 1e-6) << matrix;
    for (const char* plain : kPlain) EXPECT_EQ(value_of(plain), 2.0F) << plain;
    EXPECT_EQ(temperature_.item<float>(), 2.0F);
  }
}

TEST_F(Optimizers, SgdTrainsEveryTensorWithMomentum) {
  const auto optimizer = make({.momentum = 0.5, .weight_decay = 0.0});
  for (int step = 0; step < 2; ++step) {
    set_gradients(1.0);
    optimizer->step(0.1);
  }
  constexpr float kExpected = 2.0F - 0.1F * 1.0F - 0.1F * (0.5F + 1.0F);
  for (const auto& parameter : encoder_.named_parameters()) {
    EXPECT_FLOAT_EQ(value_of(parameter.key()), kExpected) << parameter.key();
  }
  EXPECT_FLOAT_EQ(temperature_.item<float>(), kExpected);
}

TEST_F(Optimizers, LarsMovesMatricesByTheirSizeAndTheRestByTheirGradient) {
  const auto optimizer =
      make({.kind = OptimizerKind::kLars, .momentum = 0.5, .weight_decay = 0.25, .trust_coefficient = 0.01});
  double matrix = 2.0, matrix_velocity = 0.0, plain = 2.0, plain_velocity = 0.0;
  for (const double gradient : {1.0, -3.0, 0.5}) {
    set_gradients(gradient);
    optimizer->step(0.1);
    // All elements are equal, so that a quotient of norms is that of elements.
    const double direction = gradient + 0.25 * matrix;
    matrix_velocity = 0.5 * matrix_velocity + 0.01 * std::abs(matrix) / std::abs(direction) * direction;
    matrix -= 0.1 * matrix_velocity;
    plain_velocity = 0.5 * plain_velocity + gradient;
    plain -= 0.1 * plain_velocity;
  }
  for (const char* name : kMatrices) EXPECT_NEAR(value_of(name), matrix, 1e-6) << name;
  for (const char* name : kPlain) EXPECT_NEAR(value_of(name), plain, 1e-6) << name;
  fill(0.0);
  set_gradients(0.0);
  make({.kind = OptimizerKind::kLars})->step(0.1);
  EXPECT_EQ(value_of("head.hidden.weight"), 0.0F);
}

TEST_F(Optimizers, AdamWFollowsItsFormula) {
  const auto optimizer = make({.kind = OptimizerKind::kAdamW, .weight_decay = 0.25, .beta1 = 0.8, .beta2 = 0.95});
  double matrix = 2.0, plain = 2.0, mean = 0.0, square = 0.0, power1 = 1.0, power2 = 1.0;
  for (const double gradient : {1.0, -3.0, 0.5}) {
    set_gradients(gradient);
    optimizer->step(0.1);
    mean = 0.8 * mean + 0.2 * gradient;
    square = 0.95 * square + 0.05 * gradient * gradient;
    power1 *= 0.8;
    power2 *= 0.95;
    const double move = 0.1 * (mean / (1.0 - power1)) / (std::sqrt(square / (1.0 - power2)) + 1e-8);
    matrix = matrix * (1.0 - 0.1 * 0.25) - move;
    plain -= move;
  }
  for (const char* name : kMatrices) EXPECT_NEAR(value_of(name), matrix, 1e-6) << name;
  for (const char* name : kPlain) EXPECT_NEAR(value_of(name), plain, 1e-6) << name;
}

TEST_F(Optimizers, GoOnFromWhatAnotherOneRemembered) {
  for (const OptimizerKind kind : kKinds) {
    fill(2.0);
    const auto first = make({.kind = kind}), second = make({.kind = kind});
    set_gradients(1.0);
    first->step(0.1);
    const at::Tensor weight = encoder_.named_parameters()["head.hidden.weight"];
    EXPECT_TRUE(second->remembered(weight).empty());
    for (const at::Tensor& parameter : encoder_.parameters()) second->restore(parameter, first->remembered(parameter));
    second->restore(temperature_, first->remembered(temperature_));
    EXPECT_EQ(second->remembered(weight).size(), second->memories().size());
    const at::Tensor before = weight.detach().clone();
    set_gradients(-0.5);
    first->step(0.1);
    const at::Tensor expected = weight.detach().clone();
    {
      const torch::NoGradGuard no_grad;
      weight.copy_(before);
    }
    second->step(0.1);
    EXPECT_TRUE(at::equal(weight, expected));
    second->restore(weight, {});
    EXPECT_TRUE(second->remembered(weight).empty());
  }
}

TEST_F(Optimizers, CutGradientsByTheirNormTogether) {
  std::vector<at::Tensor> all = encoder_.parameters();
  all.push_back(temperature_);
  const auto norm = [&] {
    double square = 0.0;
    for (const at::Tensor& parameter : all) square += parameter.grad().to(at::kDouble).square().sum().item<double>();
    return std::sqrt(square);
  };
  set_gradients(0.5);
  const double whole = norm();
  clip_gradients(all, 2.0 * whole);
  EXPECT_EQ(norm(), whole);
  clip_gradients(all, 0.25 * whole);
  EXPECT_NEAR(norm(), 0.25 * whole, 1e-5 * whole);
  EXPECT_NEAR(temperature_.grad().item<double>(), 0.125, 1e-6);
  set_gradients(0.0);
  clip_gradients(all, 1.0);
  EXPECT_EQ(norm(), 0.0);
}

TEST(OptimizerOptions, RefuseByFlag) {
  EXPECT_THROW((OptimizerOptions{.momentum = 1.0}.validate()), std::invalid_argument);
  EXPECT_THROW((OptimizerOptions{.weight_decay = -1e-4}.validate()), std::invalid_argument);
  EXPECT_THROW((OptimizerOptions{.momentum = 0.0, .nesterov = true}.validate()), std::invalid_argument);
  EXPECT_THROW((OptimizerOptions{.kind = OptimizerKind::kAdamW, .nesterov = true}.validate()), std::invalid_argument);
  EXPECT_THROW((OptimizerOptions{.beta2 = 1.0}.validate()), std::invalid_argument);
  EXPECT_THROW((OptimizerOptions{.clip_norm = -1.0}.validate()), std::invalid_argument);
  EXPECT_NO_THROW(OptimizerOptions{}.validate());
}

}  // namespace
}  // namespace negatron
