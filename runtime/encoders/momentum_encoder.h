#pragma once

#include <memory>
#include <vector>

#include "runtime/encoders/contrastive_encoder.h"

namespace negatron {

/// The key encoder of MoCo: an exact copy of the query encoder at construction, which then follows it slowly,
///   theta_k <- m * theta_k + (1 - m) * theta_q        (He et al., CVPR 2020, eq. 2).
/// Buffers are its own: running statistics are those of the rows that it makes. It takes no gradient. Following is
/// local: ranks whose query encoders are equal keep equal key encoders.
class MomentumEncoder {
 public:
  /// `query` must already be on its device and of its dtype.
  explicit MomentumEncoder(std::shared_ptr<ContrastiveEncoder> query);

  /// images [b, c, h, w] -> keys [b, d], without gradient. Collective or local as the encoder's.
  torch::Tensor forward(const torch::Tensor& images) const;
  /// One update towards the query encoder. `momentum` in [0, 1]; otherwise std::invalid_argument.
  void follow(double momentum);

  ContrastiveEncoder& encoder() const noexcept { return *key_; }

 private:
  std::shared_ptr<ContrastiveEncoder> query_;
  std::shared_ptr<ContrastiveEncoder> key_;
  /// `followers_[i]` follows `leaders_[i]`; they share storage with the modules.
  std::vector<at::Tensor> leaders_;
  std::vector<at::Tensor> followers_;
};

}  // namespace negatron
