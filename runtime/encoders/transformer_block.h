#pragma once

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>

#include "runtime/encoders/parameter_streams.h"

namespace negatron {

/// A linear layer of a vision transformer: weights begin uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio,
/// 2010), biases at 0. `parts` are matrices that lie in one another's rows and count each for itself, as those of
/// queries, keys and values do.
class TokenLinear : public torch::nn::Module, public KnowsItsStart {
 public:
  TokenLinear(std::int64_t inputs, std::int64_t outputs, std::int64_t parts = 1);

  /// tokens [b, n, inputs] -> [b, n, outputs]. Local.
  torch::Tensor forward(const torch::Tensor& tokens) const;
  void fill_parameters(ParameterStreams& streams) override;

 private:
  std::int64_t parts_;
  torch::Tensor weight_;  // [outputs, inputs]
  torch::Tensor bias_;    // [outputs]
};

/// softmax(q k^T / sqrt(width / heads)) v for each head (Vaswani et al., 2017), between two linear layers.
class SelfAttention : public torch::nn::Module {
 public:
  /// `heads` divide `width`.
  SelfAttention(std::int64_t width, std::int64_t heads);

  /// tokens [b, n, width] -> [b, n, width]. Local.
  torch::Tensor forward(const torch::Tensor& tokens) const;

 private:
  std::int64_t heads_;
  std::shared_ptr<TokenLinear> qkv_;
  std::shared_ptr<TokenLinear> proj_;
};

/// The two layers behind each attention, fourfold as wide inside, with GELU.
class TokenMlp : public torch::nn::Module {
 public:
  explicit TokenMlp(std::int64_t width);

  /// tokens [b, n, width] -> [b, n, width]. Local.
  torch::Tensor forward(const torch::Tensor& tokens) const;

 private:
  std::shared_ptr<TokenLinear> fc1_;
  std::shared_ptr<TokenLinear> fc2_;
};

/// A layer norm as vision transformers have it, with epsilon 1e-6.
torch::nn::LayerNorm token_norm(std::int64_t width);

/// One layer of a vision transformer, norms first: x + attention(norm(x)), then x + mlp(norm(x)). Parameters have
/// timm's names: norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2.
class TransformerBlock : public torch::nn::Module {
 public:
  TransformerBlock(std::int64_t width, std::int64_t heads);

  /// tokens [b, n, width] -> [b, n, width]. Local.
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  torch::nn::LayerNorm norm1_;
  std::shared_ptr<SelfAttention> attention_;
  torch::nn::LayerNorm norm2_;
  std::shared_ptr<TokenMlp> mlp_;
};

}  // namespace negatron
