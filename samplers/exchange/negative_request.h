#pragma once

#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What a policy wants to know about the bank for this rank's b queries. Described, not computed: policies never
/// communicate. All ranks ask for the same scales and members.
struct NegativeRequest {
  /// [b, d] fp32 or fp64, unit rows.
  at::Tensor queries;
  /// [b] int64: bank rows that hold this sample do not score for the query. Undefined: none. Ids below 0 never match.
  at::Tensor exclude_ids;
  /// One or two, see PassRequest.
  std::vector<double> scales;
  bool want_max = true;
};

}  // namespace negatron
