#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

namespace negatron {

/// Queries as a kernel reads them: group after group, a panel [parts][d][g] each, in fp32 or in pairs of bf16. In bf16
/// a query is the sum of query_parts() parts (score_term.h). Local.
class QueryPanels {
 public:
  /// queries [Q, d] fp32; `parts` is query_parts() of the request, which a kernel in fp32 does not need.
  QueryPanels(const at::Tensor& queries, const PassKernel& kernel, int parts);

  int parts() const noexcept { return parts_; }
  /// [Q] how far, as a length, a query lies from what a kernel makes of it.
  const std::vector<double>& rounding() const noexcept { return rounding_; }
  /// How many vectors of queries there are, the last padded with queries 0.
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

}  // namespace negatron
