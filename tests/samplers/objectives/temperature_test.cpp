#include "samplers/objectives/temperature.h"

#include <cmath>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

namespace negatron {
namespace {

TEST(Temperature, LearnedScaleStaysAtOrBelowItsLimit) {
  const Temperature temperature({0.01, true, at::kDouble, at::kCPU});
  {
    const at::NoGradGuard no_grad;
    at::Tensor parameter = temperature.parameters().at(0);
    parameter += 1.0;
  }
  EXPECT_NEAR(temperature.scale(), Temperature::kMaxLearnedScale, 1e-9);
  EXPECT_NEAR(temperature.log_scale().item<double>(), std::log(100.0), 1e-12);
  EXPECT_EQ(Temperature({0.005, false}).scale(), 200.0);
  EXPECT_THROW(Temperature({0.005, true}), std::invalid_argument);
  EXPECT_THROW(Temperature({0.0, false}), std::invalid_argument);
}

TEST(Temperature, LogitsTakeGradientToBothSides) {
  const Temperature temperature({0.25, true, at::kFloat, at::kCPU});
  at::Tensor scores = at::tensor({0.5, -1.0}, at::kDouble).requires_grad_();
  temperature.logits(scores).sum().backward();
  EXPECT_TRUE(at::allclose(scores.grad(), at::full({2}, 4.0, at::kDouble)));
  EXPECT_NEAR(temperature.log_scale().grad().item<double>(), 4.0 * -0.5, 1e-6);
  EXPECT_TRUE(at::equal(Temperature({0.25, false}).logits(scores.detach()), at::tensor({2.0, -4.0}, at::kDouble)));
  const ObjectiveTerm term = temperature.log_sum_exp(2.0);
  EXPECT_NEAR(term.term.scale, 8.0, 1e-6);
  EXPECT_TRUE(term.log_scale.is_same(temperature.log_scale()));
}

}  // namespace
}  // namespace negatron
