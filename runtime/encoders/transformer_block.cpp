#include "runtime/encoders/transformer_block.h"

#include <cmath>

namespace negatron {

TokenLinear::TokenLinear(std::int64_t inputs, std::int64_t outputs, std::int64_t parts)
    : parts_(parts),
      weight_(register_parameter("weight", at::empty({outputs, inputs}))),
      bias_(register_parameter("bias", at::empty({outputs}))) {}

torch::Tensor TokenLinear::forward(const torch::Tensor& tokens) const {
  return at::linear(tokens, weight_, bias_);
}

void TokenLinear::fill_parameters(ParameterStreams& streams) {
  const auto ends = static_cast<double>(weight_.size(0) / parts_ + weight_.size(1));
  const double bound = std::sqrt(6.0 / ends);
  streams.fill(weight_, [bound](CounterRng& random) { return bound * (2.0 * random.uniform() - 1.0); });
  streams.fill_constant(bias_, 0.0);
}

SelfAttention::SelfAttention(std::int64_t width, std::int64_t heads)
    : heads_(heads),
      qkv_(register_module("qkv", std::make_shared<TokenLinear>(width, 3 * width, 3))),
      proj_(register_module("proj", std::make_shared<TokenLinear>(width, width))) {}

torch::Tensor SelfAttention::forward(const torch::Tensor& tokens) const {
  const std::int64_t images = tokens.size(0), count = tokens.size(1), width = tokens.size(2);
  // [b, n, 3 * width] -> [3, b, heads, n, width / heads]
  const torch::Tensor parts =
      qkv_->forward(tokens).reshape({images, count, 3, heads_, width / heads_}).permute({2, 0, 3, 1, 4});
  const torch::Tensor attended = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return proj_->forward(attended.transpose(1, 2).reshape({images, count, width}));
}

TokenMlp::TokenMlp(std::int64_t width) {
  constexpr std::int64_t kExpansion = 4;
  fc1_ = register_module("fc1", std::make_shared<TokenLinear>(width, kExpansion * width));
  fc2_ = register_module("fc2", std::make_shared<TokenLinear>(kExpansion * width, width));
}

torch::Tensor TokenMlp::forward(const torch::Tensor& tokens) const {
  return fc2_->forward(at::gelu(fc1_->forward(tokens)));
}

torch::nn::LayerNorm token_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

TransformerBlock::TransformerBlock(std::int64_t width, std::int64_t heads)
    : norm1_(register_module("norm1", token_norm(width))),
      attention_(register_module("attn", std::make_shared<SelfAttention>(width, heads))),
      norm2_(register_module("norm2", token_norm(width))),
      mlp_(register_module("mlp", std::make_shared<TokenMlp>(width))) {}

torch::Tensor TransformerBlock::forward(const torch::Tensor& tokens) {
  const torch::Tensor seen = tokens + attention_->forward(norm1_(tokens));
  return seen + mlp_->forward(norm2_(seen));
}

}  // namespace negatron
