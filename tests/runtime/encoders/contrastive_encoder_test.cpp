#include "runtime/encoders/contrastive_encoder.h"

#include <cmath>

#include <gtest/gtest.h>

#include <torch/autograd.h>

#include "runtime/encoders/conv_encoder.h"
#include "runtime/encoders/initialization.h"
#include "runtime/encoders/precision.h"

namespace negatron {
namespace {

std::shared_ptr<ContrastiveEncoder> make_encoder(at::ScalarType dtype) {
  const ConvEncoderOptions shape{.channels = {16, 32}, .strides = {2, 2}, .groups = 4};
  auto encoder = std::make_shared<ContrastiveEncoder>(std::make_shared<ConvEncoder>(shape),
                                                      ProjectionHeadOptions{.hidden = 24, .output = 8});
  encoder->to(dtype);
  initialize(*encoder, 11);
  return encoder;
}

void expect_unit_rows(const at::Tensor& rows, double tolerance) {
  EXPECT_LT((rows.detach().norm(2, 1) - 1.0).abs().max().item<double>(), tolerance);
}

TEST(ContrastiveEncoder, MakesUnitRowsInTheDtypeOfTheParameters) {
  const at::Tensor images = at::rand({5, 1, 28, 28});
  const at::Tensor single = make_encoder(at::kFloat)->forward(images);
  EXPECT_EQ(single.sizes(), (std::vector<std::int64_t>{5, 8}));
  EXPECT_EQ(single.scalar_type(), at::kFloat);
  expect_unit_rows(single, 1e-6);
  const at::Tensor full = make_encoder(at::kDouble)->forward(images.to(at::kDouble));
  EXPECT_EQ(full.scalar_type(), at::kDouble);
  expect_unit_rows(full, 1e-15 * 8);
  EXPECT_TRUE(at::allclose(full.to(at::kFloat), single, 1e-4, 1e-5));
}

TEST(ContrastiveEncoder, ARawHeadLeavesOutTheDivisionAndNothingElse) {
  const ConvEncoderOptions shape{.channels = {16, 32}, .strides = {2, 2}, .groups = 4};
  const auto raw = std::make_shared<ContrastiveEncoder>(
      std::make_shared<ConvEncoder>(shape),
      ProjectionHeadOptions{.hidden = 24, .output = 8, .length = RowLength::kAsMade});
  raw->to(at::kDouble);
  initialize(*raw, 11);
  const at::Tensor images = at::rand({5, 1, 28, 28}, at::kDouble);
  const at::Tensor rows = raw->forward(images), unit = make_encoder(at::kDouble)->forward(images);
  EXPECT_GT((rows.norm(2, 1) - 1.0).abs().max().item<double>(), 1e-2);
  EXPECT_TRUE(at::allclose(rows / rows.norm(2, 1, true), unit, 1e-12, 1e-12));
  EXPECT_TRUE(at::equal(raw->duplicate()->forward(images), rows)) << "the momentum encoder's head is one as well";
}

TEST(ContrastiveEncoder, UnderBf16RowsAndFeaturesAreStillFp32AndRowsUnit) {
  auto encoder = make_encoder(at::kFloat);
  const at::Tensor images = at::rand({5, 1, 28, 28});
  const at::Tensor exact = encoder->forward(images);
  at::Tensor rows;
  at::Tensor features;
  {
    const PrecisionGuard guard(Precision::kBf16, at::kCPU);
    rows = encoder->forward(images);
    features = encoder->features(images);
  }
  EXPECT_EQ(rows.scalar_type(), at::kFloat);
  EXPECT_EQ(features.scalar_type(), at::kFloat);
  expect_unit_rows(rows, 1e-6);
  EXPECT_TRUE(at::allclose(rows, exact, 0.0, 0.05));
  EXPECT_FALSE(at::allclose(rows, exact, 0.0, 1e-6)) << "autocast did nothing";
  rows.select(1, 0).sum().backward();
  for (const at::Tensor& parameter : encoder->parameters()) {
    ASSERT_TRUE(parameter.grad().defined());
    EXPECT_EQ(parameter.grad().scalar_type(), at::kFloat);
  }
}

TEST(ContrastiveEncoder, TakesAnEmptyBatchAtAnyPrecision) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    auto encoder = make_encoder(at::kFloat);
    at::Tensor rows;
    {
      const PrecisionGuard guard(precision, at::kCPU);
      rows = encoder->forward(at::empty({0, 1, 28, 28}));
    }
    EXPECT_EQ(rows.sizes(), (std::vector<std::int64_t>{0, 8}));
    rows.sum().backward();
    for (const at::Tensor& parameter : encoder->parameters()) {
      EXPECT_TRUE(!parameter.grad().defined() || at::isfinite(parameter.grad()).all().item<bool>());
    }
  }
}

TEST(ProjectionHead, KeepsAZeroRowZeroAndItsGradientFinite) {
  ProjectionHead head(4, {.hidden = 3, .output = 2});
  {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : head.parameters()) parameter.zero_();
  }
  const at::Tensor rows = head.forward(at::ones({2, 4}));
  EXPECT_TRUE(at::equal(rows, at::zeros({2, 2})));
  rows.sum().backward();
  for (const at::Tensor& parameter : head.parameters()) EXPECT_TRUE(at::isfinite(parameter.grad()).all().item<bool>());
}

TEST(ProjectionHead, RefusesWidthsByFlag) {
  EXPECT_THROW((ProjectionHeadOptions{.hidden = 0}.validate()), std::invalid_argument);
  EXPECT_THROW((ProjectionHeadOptions{.output = 0}.validate()), std::invalid_argument);
}

TEST(ContrastiveEncoder, ADuplicateIsEqualAndIndependent) {
  auto original = make_encoder(at::kDouble);
  auto copy = original->duplicate();
  const at::Tensor images = at::rand({3, 1, 28, 28}, at::kDouble);
  const at::Tensor before = original->forward(images);
  EXPECT_TRUE(at::equal(copy->forward(images), before));
  {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : original->parameters()) parameter.add_(0.1);
  }
  EXPECT_TRUE(at::equal(copy->forward(images), before));
  EXPECT_FALSE(at::equal(original->forward(images), before));
}

}  // namespace
}  // namespace negatron
