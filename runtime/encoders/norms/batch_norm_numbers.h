#pragma once

namespace negatron {

// torch's defaults.
/// Added to variances before the root.
inline constexpr double kBatchNormEpsilon = 1e-5;
/// How far running statistics move towards those of a batch.
inline constexpr double kRunningShare = 0.1;

}  // namespace negatron
