#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

enum class RowOptimizerKind {
  /// Stochastic gradient with momentum.
  kSgd,
  /// Row-wise Adagrad, as PyTorch-BigGraph's (Lerer et al., "PyTorch-BigGraph", MLSys 2019).
  kAdagrad,
  /// Lazy Adam (Kingma & Ba, ICLR 2015; "lazy" as rows that a step did not meet stay as they are).
  kAdam
};

/// How rows that learn are trained: by the gradient g of a loss by the raw rows w, with -g in its place for rows that
/// raise it, and e a small number.
///
///     sgd      v <- momentum v + g + decay w
///              w <- w - rate v
///
///     adagrad  G <- G + mean of g^2 over the row
///              w <- (1 - rate decay) w - rate g / (sqrt(G) + e)
///
///     adam     m <- momentum m + (1 - momentum) g,  u <- 0.999 u + 0.001 g^2,  t the steps that the row has taken
///              w <- (1 - rate decay) w - rate m / (1 - momentum^t) / (sqrt(u / (1 - 0.999^t)) + e)
///
/// The moments of a row are v, G, or m, u and t, one behind the other. With the last two a first step moves each number
/// of a row by about the rate, whatever the gradient: unit rows want one far below 1 / sqrt(d).
struct RowOptimizer {
  double rate = 3.0;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  RowOptimizerKind kind = RowOptimizerKind::kSgd;
  /// The loss rises, as AdCo's (Hu et al., CVPR 2021) rows have it; else it falls.
  bool raises = true;
};

/// Numbers that such an optimizer remembers of a row of width d.
std::int64_t moments_width(RowOptimizerKind kind, std::int64_t width);

/// Whether rows that a step did not meet, whose gradient is 0, move all the same: by momentum or decay of sgd. Adagrad
/// and Adam leave rows without a gradient as they are.
bool moves_unmet_rows(const RowOptimizer& optimizer);

/// One step of raw rows [n, d] with moments [n, moments_width], in place; gradient [n, d] by the raw rows, which is
/// used up. Local.
void step_rows(const RowOptimizer& optimizer, const at::Tensor& raw, const at::Tensor& moments,
               const at::Tensor& gradient);

}  // namespace negatron
