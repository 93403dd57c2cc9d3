#include "runtime/encoders/precision.h"

#include <gtest/gtest.h>

#include <torch/autograd.h>

namespace negatron {
namespace {

at::ScalarType product_dtype() {
  return at::mm(at::ones({2, 2}), at::ones({2, 2})).scalar_type();
}

TEST(PrecisionGuard, MakesProductsBf16WhileItLivesAndOnlyThen) {
  EXPECT_EQ(product_dtype(), at::kFloat);
  {
    const PrecisionGuard outer(Precision::kBf16, at::kCPU);
    EXPECT_EQ(product_dtype(), at::kBFloat16);
    {
      const PrecisionGuard inner(Precision::kBf16, at::kCPU);
      EXPECT_EQ(product_dtype(), at::kBFloat16);
    }
    EXPECT_EQ(product_dtype(), at::kBFloat16);
  }
  EXPECT_EQ(product_dtype(), at::kFloat);
}

TEST(PrecisionGuard, DoesNothingForFullPrecision) {
  for (const Precision precision : {Precision::kFp32, Precision::kFp64}) {
    const PrecisionGuard guard(precision, at::kCPU);
    EXPECT_EQ(product_dtype(), at::kFloat);
  }
}

TEST(PrecisionGuard, SeesWeightsThatChangedSinceTheLastGuard) {
  const at::Tensor weight = at::ones({2, 2}).requires_grad_();
  const auto first_product = [&weight] {
    const PrecisionGuard guard(Precision::kBf16, at::kCPU);
    return at::mm(weight, at::ones({2, 2})).select(0, 0).select(0, 0).item<double>();
  };
  EXPECT_EQ(first_product(), 2.0);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(3.0);
  }
  EXPECT_EQ(first_product(), 6.0) << "a stale bf16 copy of the weight was used";
}

TEST(Precision, IsWhatWasAskedForOrWhatTheDeviceHas) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp64}) {
    EXPECT_EQ(choose_precision(precision, at::kCPU), precision);
  }
  EXPECT_EQ(choose_precision(std::nullopt, at::kCPU), cpu_has_bf16() ? Precision::kBf16 : Precision::kFp32);
  EXPECT_EQ(choose_precision(std::nullopt, at::kCUDA), Precision::kBf16);
}

TEST(Precision, ParametersAreFp64OnlyForFp64) {
  EXPECT_EQ(parameter_dtype(Precision::kFp32), at::kFloat);
  EXPECT_EQ(parameter_dtype(Precision::kBf16), at::kFloat);
  EXPECT_EQ(parameter_dtype(Precision::kFp64), at::kDouble);
}

}  // namespace
}  // namespace negatron
