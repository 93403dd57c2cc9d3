#pragma once

#include <memory>
#include <vector>

#include "runtime/encoders/contrastive_encoder.h"

namespace negatron {

/// The key encoder of MoCo: an exact copy of the query encoder at construction, which then follows it slowly,
///   theta_k <- m * theta_k + (1 - m) * theta_q        (He et al., CVPR 2020, eq. 2),
/// parameters and floating-point buffers alike; other buffers (counters) are copied. It takes no gradient. Local: ranks
/// whose query encoders are equal keep equal key encoders.
class MomentumEncoder {
 public:
  /// `query` must already be on its device and of its dtype.
  explicit MomentumEncoder(std::shared_ptr<ContrastiveEncoder> query);

  /// images [b, c, h, w] -> keys [b, d], unit rows, without gradient.
  torch::Tensor forward(const torch::Tensor& images) const;
  /// One update towards the query encoder. `momentum` in [0, 1]; otherwise std::invalid_argument.
  void follow(double momentum);

  ContrastiveEncoder& encoder() const noexcept { return *key_; }

 private:
  /// `to[i]` follows `from[i]`.
  struct TensorPairs {
    std::vector<at::Tensor> from;
    std::vector<at::Tensor> to;
  };

  std::shared_ptr<ContrastiveEncoder> query_;
  std::shared_ptr<ContrastiveEncoder> key_;
  /// They share storage with the modules.
  TensorPairs averaged_;
  TensorPairs copied_;
};

}  // namespace negatron
