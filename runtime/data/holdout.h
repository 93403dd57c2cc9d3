#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// Training images that are kept apart for evaluation.
struct Holdout {
  std::int64_t count = 0;
  /// Drawn, the same share of each label. Else the last ones, as runs of former versions did.
  bool drawn = true;
};

/// "0", "500" (drawn), "last:500". Throws std::invalid_argument in a sentence that names --holdout. Local.
Holdout parse_holdout(const std::string& text);
/// "0", "drawn:500", "last:500": a bare number was the last ones in the configurations of former versions. Local.
std::string text_of(const Holdout& holdout);

/// Numbers of images, rising, [n] int64 each.
struct HeldOut {
  at::Tensor train;
  at::Tensor test;
};

/// Of `samples` images with `labels` [samples] int64, undefined for none. The draw depends on nothing else: runs of
/// other seeds keep the same images apart. Each label gives its share, rounded by largest remainder. Local. Throws
/// std::invalid_argument naming --holdout when nothing is left.
HeldOut hold_out(std::int64_t samples, const at::Tensor& labels, const Holdout& holdout);

}  // namespace negatron
