#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// How batches are made of identities: each holds so many, with so many images of each (Schroff et al., FaceNet, CVPR
/// 2015). An identity is a label.
struct IdentityBatches {
  std::int64_t identities = 0;
  std::int64_t images_of_each = 0;
};

/// An order of all samples, each once, whose batches of identities * images_of_each are so, as long as that many
/// identities have that many images left; behind them the images that are left, those of one identity together, and at
/// the end those of identities with fewer. labels [samples] int64 on the host, below 0 for none. A function of labels,
/// seed and epoch, and so the same on every rank. Local.
at::Tensor identity_order(const at::Tensor& labels, const IdentityBatches& batches, std::uint64_t seed,
                          std::int64_t epoch);

}  // namespace negatron
