#pragma once

#include "samplers/pass/pass.h"

namespace negatron {

/// The pass by ATen's flash attention, with keys = values = rows: its output is the gradient over the scale and its
/// log-sum-exp the value (FORMULAS.md 1). It knows no holes and no exclusions, and finds no maximum.
///
/// Serves plain terms over rows that all score, with neither bias nor exclusions, when no maximum is wanted or it may
/// be skipped, as it then is: on CUDA rows in bf16 or fp16, d a multiple of 8 up to 256; on a CPU rows of any type.
/// Queries are rounded to the type of the rows, so only unit rows and scales up to 2 sqrt(d) are served where that
/// shows (query_parts()). Values are good to 1e-3, and gradients to about 2^-8 of their largest number in bf16. One
/// sweep a term.
class AttentionPass : public Pass {
 public:
  /// Throws std::invalid_argument, besides, when it does not serve the request.
  PassResult run(const Rows& rows, const PassRequest& request) const override;

  /// Whether a checked request can be served. Local; does not wait for the device.
  static bool serves(const Rows& rows, const PassRequest& request);
};

}  // namespace negatron
