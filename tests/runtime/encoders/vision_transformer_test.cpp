// Vision transformers against one written out plainly.

#include "runtime/encoders/vision_transformer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/encoders/initialization.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/encoders/precision.h"
#include "tests/runtime/encoders/small_resnet.h"

namespace negatron {
namespace {

using testing::hashed;

const VisionTransformerOptions kSmall{
    .input_channels = 2, .image = {8, 12}, .patch = 4, .width = 16, .depth = 2, .heads = 2};

std::vector<std::string> names_of(const VisionTransformer& network) {
  std::vector<std::string> names;
  for (const auto& one : network.named_parameters()) names.push_back(one.key());
  for (const auto& one : network.named_buffers()) names.push_back(one.key());
  std::sort(names.begin(), names.end());
  return names;
}

/// What a transformer makes of one image [c, h, w]: features [width], token by token and head by head.
class Plain {
 public:
  explicit Plain(const VisionTransformer& network) {
    for (const auto& one : network.named_parameters()) tensors_[one.key()] = one.value().detach();
    for (const auto& one : network.named_buffers()) tensors_[one.key()] = one.value();
  }

  at::Tensor features(const at::Tensor& image) const {
    std::vector<at::Tensor> tokens{named("cls_token").view({16})};
    for (std::int64_t y = 0; y < 2; ++y) {
      for (std::int64_t x = 0; x < 3; ++x) {
        const at::Tensor patch = image.narrow(1, 4 * y, 4).narrow(2, 4 * x, 4).flatten();
        tokens.push_back(named("patch_embed.proj.weight").flatten(1).mv(patch) + named("patch_embed.proj.bias"));
      }
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = tokens[i] + named("pos_embed")[0][i];
    for (const char* block : {"blocks.0.", "blocks.1."}) tokens = through(block, tokens);
    return norm("norm", tokens[0]);
  }

 private:
  at::Tensor named(const std::string& name) const { return tensors_.at(name); }
  at::Tensor linear(const std::string& name, const at::Tensor& token) const {
    return named(name + ".weight").mv(token) + named(name + ".bias");
  }
  at::Tensor norm(const std::string& name, const at::Tensor& token) const {
    const at::Tensor centred = token - token.mean();
    return centred / (centred.square().mean() + 1e-6).sqrt() * named(name + ".weight") + named(name + ".bias");
  }
  std::vector<at::Tensor> through(const std::string& block, std::vector<at::Tensor> tokens) const {
    std::vector<at::Tensor> queries, keys, values;
    for (const at::Tensor& token : tokens) {
      const at::Tensor all = linear(block + "attn.qkv", norm(block + "norm1", token));
      queries.push_back(all.slice(0, 0, 16));
      keys.push_back(all.slice(0, 16, 32));
      values.push_back(all.slice(0, 32, 48));
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::vector<at::Tensor> heads;
      for (std::int64_t head = 0; head < 2; ++head) {
        const auto part = [head](const at::Tensor& token) { return token.narrow(0, 8 * head, 8); };
        std::vector<at::Tensor> scores;
        for (const at::Tensor& key : keys) scores.push_back(part(queries[i]).dot(part(key)) / std::sqrt(8.0));
        const at::Tensor weights = at::stack(scores).softmax(0);
        at::Tensor sum = at::zeros({8}, at::kDouble);
        for (std::size_t j = 0; j < values.size(); ++j) sum += weights[static_cast<std::int64_t>(j)] * part(values[j]);
        heads.push_back(sum);
      }
      tokens[i] = tokens[i] + linear(block + "attn.proj", at::cat(heads));
    }
    for (at::Tensor& token : tokens) {
      const at::Tensor inner = linear(block + "mlp.fc1", norm(block + "norm2", token));
      const at::Tensor gelu = 0.5 * inner * (1.0 + (inner / std::sqrt(2.0)).erf());
      token = token + linear(block + "mlp.fc2", gelu);
    }
    return tokens;
  }

  std::map<std::string, at::Tensor> tensors_;
};

TEST(VisionTransformer, IsThePlainOne) {
  for (const bool learned : {false, true}) {
    VisionTransformerOptions options = kSmall;
    options.learned_positions = learned;
    VisionTransformer network(options);
    initialize(network, 5);
    network.to(at::kDouble);
    const at::NoGradGuard no_grad;
    // Norms and biases begin as if they were not there.
    std::int64_t stream = 0;
    for (const at::Tensor& parameter : network.parameters()) {
      parameter.add_(0.3 * hashed(parameter.numel(), ++stream).view(parameter.sizes()));
    }
    const at::Tensor images = hashed(3 * 2 * 8 * 12, 100).view({3, 2, 8, 12});
    const at::Tensor features = network.forward(images);
    const Plain plain(network);
    for (std::int64_t image = 0; image < 3; ++image) {
      EXPECT_TRUE(at::allclose(features[image], plain.features(images[image]), 1e-10, 1e-12)) << learned;
    }
  }
}

TEST(VisionTransformer, HasTheNamesOfTimm) {
  std::vector<std::string> expected{
      "cls_token", "norm.bias", "norm.weight", "patch_embed.proj.bias", "patch_embed.proj.weight", "pos_embed"};
  for (const char* block : {"blocks.0.", "blocks.1."}) {
    for (const char* layer : {"norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"}) {
      for (const char* part : {".weight", ".bias"}) expected.push_back(std::string(block) + layer + part);
    }
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names_of(VisionTransformer(kSmall)), expected);
  VisionTransformerOptions learned = kSmall;
  learned.learned_positions = true;
  EXPECT_EQ(names_of(VisionTransformer(learned)), expected);
}

TEST(VisionTransformer, NamedSizesAreTimms) {
  // Counts are those of timm's vit_*_patch16_224 without head.
  for (const auto& [name, count] :
       {std::pair{"vit_tiny", 5524416}, std::pair{"vit_small", 21665664}, std::pair{"vit_base", 85798656}}) {
    const auto network = make_backbone({.name = name + std::string(":positions=learned")}, 3, nullptr, {224, 224});
    std::int64_t found = 0;
    for (const torch::Tensor& parameter : network->parameters()) found += parameter.numel();
    EXPECT_EQ(found, count) << name;
  }
}

TEST(VisionTransformer, SinePositionsTellRowsAndColumns) {
  const at::Tensor positions = sine_positions(2, 3, 8);
  EXPECT_EQ(positions.sizes(), (std::vector<std::int64_t>{1, 7, 8}));
  EXPECT_EQ(positions[0][0].abs().max().item<double>(), 0.0);
  // Row 1, column 2: sin and cos of 2 and 2 / 100, then of 1 and 1 / 100.
  const std::vector<double> expected{std::sin(2.0), std::sin(0.02), std::cos(2.0), std::cos(0.02),
                                     std::sin(1.0), std::sin(0.01), std::cos(1.0), std::cos(0.01)};
  for (std::int64_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(positions[0][6][i].item<double>(), expected[static_cast<std::size_t>(i)], 1e-6) << i;
  }
}

TEST(VisionTransformer, FixedPatchesTakeNoGradientAndAreCopied) {
  VisionTransformerOptions options = kSmall;
  options.fixed_patch = true;
  auto query = std::make_shared<ContrastiveEncoder>(std::make_shared<VisionTransformer>(options),
                                                    ProjectionHeadOptions{.hidden = 8, .output = 4});
  initialize(*query, 5);
  EXPECT_FALSE(query->named_parameters().contains("backbone.patch_embed.proj.weight"));
  const at::Tensor weight = query->named_buffers()["backbone.patch_embed.proj.weight"];
  EXPECT_FALSE(weight.requires_grad());
  EXPECT_GT(weight.abs().max().item<double>(), 0.1);
  const MomentumEncoder key(query);
  EXPECT_TRUE(at::equal(key.encoder().named_buffers()["backbone.patch_embed.proj.weight"], weight));
}

TEST(VisionTransformer, EveryParameterGetsAGradientUnderBf16Too) {
  ContrastiveEncoder encoder(std::make_shared<VisionTransformer>(kSmall),
                             ProjectionHeadOptions{.hidden = 16, .output = 8});
  initialize(encoder, 3);
  const at::Tensor images = hashed(6 * 2 * 8 * 12, 1).view({6, 2, 8, 12}).to(at::kFloat);
  const at::Tensor exact = encoder.forward(images).detach();
  at::Tensor rows;
  {
    const PrecisionGuard guard(Precision::kBf16, at::kCPU);
    rows = encoder.forward(images);
  }
  EXPECT_EQ(rows.scalar_type(), at::kFloat);
  EXPECT_GT((rows.detach() * exact).sum(1).min().item<double>(), 0.98);
  rows.select(1, 0).sum().backward();
  for (const auto& parameter : encoder.named_parameters()) {
    const at::Tensor& gradient = parameter.value().grad();
    ASSERT_TRUE(gradient.defined()) << parameter.key();
    EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << parameter.key();
    EXPECT_GT(gradient.abs().max().item<double>(), 0.0) << parameter.key();
  }
}

TEST(VisionTransformer, RefusesViewsThatAreNotWholePatches) {
  const auto refusal = [](const std::string& name, const ImageSize& view) -> std::string {
    try {
      BackboneOptions options;
      options.name = name;
      options.validate();
      make_backbone(options, 1, nullptr, view);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal("vit_tiny:patch=7", {28, 28}), "accepted");
  const std::string text = refusal("vit_tiny", {28, 28});
  EXPECT_NE(text.find("28 x 28 pixels are not whole patches of 16"), std::string::npos) << text;
  EXPECT_NE(refusal("vit_tiny:positions=sine", {28, 28}).find("one of fixed, learned"), std::string::npos);
  EXPECT_NE(refusal("vit_tiny:patch=0", {28, 28}).find("'patch'"), std::string::npos);
}

}  // namespace
}  // namespace negatron
