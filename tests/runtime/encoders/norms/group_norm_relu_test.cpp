#include "runtime/encoders/norms/group_norm_relu.h"

#include <limits>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace negatron {
namespace {

constexpr std::int64_t kGroups = 3;

struct Sweep {
  at::Tensor output;
  at::Tensor by_maps;
  at::Tensor by_weight;
  at::Tensor by_bias;
};

at::Tensor numbers(at::IntArrayRef sizes, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(sizes, generator, at::kDouble);
}

/// Forward and backward of maps [5, 21, 4, 3], a number of channels that fills no vector. Their numbers are rounded to
/// `rounded`, so that they are the same in every dtype that holds those.
Sweep sweep(at::ScalarType dtype, at::MemoryFormat format, double mean, at::ScalarType rounded = at::kBFloat16) {
  const at::Tensor values = (numbers({5, 21, 4, 3}, 1) + mean).to(rounded);
  at::Tensor maps = values.to(dtype).contiguous(format).requires_grad_();
  const at::ScalarType parameters = dtype == at::kDouble ? at::kDouble : at::kFloat;
  at::Tensor weight = (1.0 + 0.3 * numbers({21}, 2)).to(at::kFloat).to(parameters).requires_grad_();
  at::Tensor bias = (0.3 * numbers({21}, 3)).to(at::kFloat).to(parameters).requires_grad_();
  const at::Tensor output = group_norm_relu(maps, kGroups, weight, bias);
  EXPECT_EQ(output.scalar_type(), dtype);
  EXPECT_EQ(output.suggest_memory_format(), format);
  output.backward(numbers({5, 21, 4, 3}, 4).to(at::kBFloat16).to(dtype));
  return {output.detach(), maps.grad(), weight.grad(), bias.grad()};
}

void expect_close(const Sweep& found, const Sweep& exact, double tolerance) {
  const auto distance = [](const at::Tensor& a, const at::Tensor& b) {
    return ((a.to(at::kDouble) - b).abs().max() / b.abs().max()).item<double>();
  };
  EXPECT_LT(distance(found.output, exact.output), tolerance);
  EXPECT_LT(distance(found.by_maps, exact.by_maps), tolerance);
  EXPECT_LT(distance(found.by_weight, exact.by_weight), tolerance);
  EXPECT_LT(distance(found.by_bias, exact.by_bias), tolerance);
}

TEST(GroupNormRelu, OverChannelsLastEqualsTorchsInFp64) {
  at::set_num_threads(2);
  for (const double mean : {0.0, 3.0}) {
    const Sweep exact = sweep(at::kDouble, at::MemoryFormat::Contiguous, mean);
    expect_close(sweep(at::kFloat, at::MemoryFormat::ChannelsLast, mean), exact, 1e-5);
    constexpr double kBf16Rounding = 1.0 / 256.0;
    expect_close(sweep(at::kBFloat16, at::MemoryFormat::ChannelsLast, mean), exact, 2.0 * kBf16Rounding);
  }
}

TEST(GroupNormRelu, AFarMeanDoesNotCancel) {
  // In fp32 the mean of squares less the square of the mean has no correct digit here.
  const Sweep exact = sweep(at::kDouble, at::MemoryFormat::Contiguous, 3000.0, at::kFloat);
  expect_close(sweep(at::kFloat, at::MemoryFormat::ChannelsLast, 3000.0, at::kFloat), exact, 1e-2);
}

TEST(GroupNormRelu, WhatIsNotANumberStaysNone) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor maps = at::ones({2, 6, 2, 2}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    maps[1][0][0][0].fill_(std::numeric_limits<double>::quiet_NaN());
    const at::Tensor output = group_norm_relu(maps, kGroups, at::ones({6}), at::zeros({6}));
    EXPECT_TRUE(at::isfinite(output[0]).all().item<bool>());
    EXPECT_TRUE(at::isnan(output[1].narrow(0, 0, 2)).all().item<bool>()) << "the whole group";
    EXPECT_TRUE(at::isfinite(output[1].narrow(0, 2, 4)).all().item<bool>());
  }
}

TEST(GroupNormRelu, TakesNoImages) {
  const at::Tensor none = at::empty({0, 6, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(group_norm_relu(none, kGroups, at::ones({6}), at::zeros({6})).sizes(), none.sizes());
}

}  // namespace
}  // namespace negatron
