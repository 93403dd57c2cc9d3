#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/score_term.h"

namespace negatron {

/// Queries as a kernel reads them: group after group, a panel [parts][d][g] each, in fp32 or in pairs of bf16. Local.
///
/// A query in bf16 is off by up to 2^-8 of each of its numbers, which moves a score of unit vectors by about 2^-9 /
/// sqrt(d), a logit by `scale` times that, and the direction of the gradient by 2e-3. Measured on random unit rows (d =
/// 128, K = 65,536) the log-sum-exp is then off by 1e-5 of itself at scale 5 and 8e-5 at 14; scale 100 would cost 1e-3.
/// So where the largest scale is above kMostCoarseScale sqrt(d) the query is the sum of two bf16 parts, which brings
/// 2e-6 for half as much time again.
class QueryPanels {
 public:
  static constexpr double kMostCoarseScale = 2.0;
  /// 1, or 2 for such scales: of queries [., width] that are rounded to bf16.
  static int parts_of(double scale, std::int64_t width);

  /// queries [Q, d] fp32; `scale` is the largest in absolute value.
  QueryPanels(const at::Tensor& queries, const PassKernel& kernel, double scale);

  int parts() const noexcept { return parts_; }
  /// [Q] how far, as a length, a query lies from what a kernel makes of it.
  const std::vector<double>& rounding() const noexcept { return rounding_; }
  /// Padded with queries 0 to whole vectors.
  std::int64_t vectors() const noexcept { return vectors_; }
  /// The panels from the one whose first query is `query`, which begins a group.
  const float* from(std::int64_t query) const;

 private:
  int parts_ = 1;
  std::int64_t vectors_ = 0;
  std::int64_t words_ = 0;
  at::Tensor panels_;
  std::vector<double> rounding_;
};

/// In absolute value; 0 without terms.
double largest_scale(const std::vector<ScoreTerm>& terms);

}  // namespace negatron
