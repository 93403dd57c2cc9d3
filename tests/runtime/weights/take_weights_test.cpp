#include "runtime/weights/take_weights.h"

#include <gtest/gtest.h>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace negatron::testing {
namespace {

/// A first convolution over `channels`, a matrix, and a buffer.
class Small : public torch::nn::Module {
 public:
  explicit Small(std::int64_t channels)
      : conv(register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, 2, 3).bias(false)))),
        linear(register_module("linear", torch::nn::Linear(2, 3))),
        mean(register_buffer("mean", at::zeros({2}))),
        count(register_buffer("num_batches_tracked", at::zeros({}, at::kLong))) {}

  torch::nn::Conv2d conv;
  torch::nn::Linear linear;
  torch::Tensor mean, count;
};

SavedWeights saved(const std::string& prefix, double value, std::int64_t channels = 3) {
  return {{prefix + "conv1.weight", at::full({2, channels, 3, 3}, value)},
          {prefix + "linear.weight", at::full({3, 2}, value, at::kHalf)},
          {prefix + "linear.bias", at::full({3}, value, at::kDouble)},
          {prefix + "mean", at::full({2}, value)},
          {prefix + "num_batches_tracked", at::full({}, 5, at::kLong)},
          {prefix + "fc.weight", at::zeros({1})}};
}

SavedWeights joined(SavedWeights a, const SavedWeights& b) {
  a.insert(b.begin(), b.end());
  return a;
}

std::string refusal(const SavedWeights& weights, const WeightsWanted& wanted, Small& network) {
  try {
    take_weights("FILE", weights, wanted, network);
  } catch (const WeightsError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TakeWeights, GoByNameUnderAnyPrefix) {
  for (const char* prefix : {"", "module.", "backbone.", "encoder.", "module.encoder_q.", "state.model.net."}) {
    Small network(3);
    const TakenWeights taken = take_weights("FILE", saved(prefix, 0.5), {}, network);
    EXPECT_EQ(taken.prefix, prefix);
    EXPECT_EQ(taken.taken, 4);
    EXPECT_TRUE(taken.missing.empty());
    EXPECT_EQ(taken.left_over, std::vector<std::string>{"fc.weight"});
    for (const at::Tensor& parameter : network.parameters()) EXPECT_EQ((parameter == 0.5).all().item<bool>(), true);
    EXPECT_EQ(network.mean[1].item<double>(), 0.5);
    EXPECT_EQ(network.count.item<std::int64_t>(), 5);
    EXPECT_EQ(network.count.scalar_type(), at::kLong);
    EXPECT_TRUE(network.conv->weight.requires_grad());
  }
}

TEST(TakeWeights, OfTwoEncodersTheOneThatIsMeant) {
  for (const auto& [query, key] :
       {std::pair{"module.encoder_q.", "module.encoder_k."},
        std::pair{"module.base_encoder.", "module.momentum_encoder."}, std::pair{"backbone.", "backbone_momentum."},
        std::pair{"encoder.backbone.", "key_encoder.backbone."}, std::pair{"student.", "teacher."}}) {
    const SavedWeights both = joined(saved(query, 1.0), saved(key, 2.0));
    Small network(3);
    const TakenWeights taken = take_weights("FILE", both, {}, network);
    EXPECT_EQ(taken.prefix, query);
    EXPECT_EQ(taken.elsewhere, 6);
    EXPECT_EQ(network.mean[0].item<double>(), 1.0);
    EXPECT_EQ(take_weights("FILE", both, {.momentum_copy = true}, network).prefix, key);
    EXPECT_EQ(network.mean[0].item<double>(), 2.0);
  }
}

TEST(TakeWeights, SayWhatWasMissingAndLeftOver) {
  SavedWeights weights = saved("module.", 1.0);
  weights.erase("module.linear.bias");
  weights.erase("module.num_batches_tracked");
  weights["queue"] = at::zeros({2});
  Small network(3);
  EXPECT_EQ(
      take_weights("FILE", weights, {}, network).text(),
      "3 of 4 tensors of the encoder taken from 'module.'; missing: linear.bias; left over: fc.weight; 1 of other "
      "networks left alone.");
}

TEST(TakeWeights, RefuseWhatDoesNotFitAndChangeNothingThen) {
  Small network(3);
  network.mean.fill_(7.0);
  SavedWeights weights = saved("", 1.0);
  weights["linear.weight"] = at::zeros({5, 2});
  const std::string text = refusal(weights, {}, network);
  EXPECT_EQ(text.find("'FILE': 'linear.weight' is [5, 2], this run's encoder has [3, 2] (--encoder"), 0U) << text;
  EXPECT_EQ(network.mean[0].item<double>(), 7.0);
  EXPECT_EQ(refusal({{"a", at::zeros({1})}}, {}, network),
            "'FILE' has none of the encoder's weights: it holds a; the encoder wants conv1.weight, linear.weight, "
            "linear.bias, mean.");
}

TEST(TakeWeights, AddUpColoursWhereAsked) {
  Small grey(1);
  SavedWeights weights = saved("", 1.0);
  weights["conv1.weight"] = at::arange(2 * 3 * 9, at::kFloat).view({2, 3, 3, 3});
  const std::string text = refusal(weights, {}, grey);
  EXPECT_NE(text.find("'conv1.weight' is [2, 3, 3, 3], this run's encoder has [2, 1, 3, 3]; --init-adapt-channels"),
            std::string::npos)
      << text;
  take_weights("FILE", weights, {.adapt_channels = true}, grey);
  const at::Tensor image = at::arange(25, at::kFloat).view({1, 1, 5, 5});
  EXPECT_TRUE(at::allclose(at::conv2d(image, grey.conv->weight),
                           at::conv2d(image.expand({1, 3, 5, 5}), weights["conv1.weight"])));
}

}  // namespace
}  // namespace negatron::testing
