#include "runtime/encoders/mlp_encoder.h"

#include <gtest/gtest.h>

#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/initialization.h"
#include "tests/runtime/encoders/small_resnet.h"

namespace negatron {
namespace {

TEST(MlpEncoder, TakesFeaturesAndImagesOfAsManyValues) {
  const auto network = make_backbone({.name = "mlp:hidden=6,layers=1"}, 1, nullptr, {1, 8});
  initialize(*network, 3);
  network->to(at::kDouble);
  const at::Tensor rows = testing::hashed(5 * 8, 1).view({5, 8});
  const at::Tensor features = network->forward(rows);
  EXPECT_EQ(features.sizes(), (std::vector<std::int64_t>{5, network->feature_width()}));
  EXPECT_TRUE(at::equal(network->forward(rows.view({5, 1, 1, 8})), features));
  const auto tensors = network->named_parameters();
  const at::Tensor hidden = at::linear(rows, tensors["linear1.weight"], tensors["linear1.bias"]);
  EXPECT_TRUE(at::allclose(features, at::layer_norm(hidden, {6}).relu()));
  EXPECT_EQ(network->same_shape()->parameters().size(), 4U);
}

}  // namespace
}  // namespace negatron
