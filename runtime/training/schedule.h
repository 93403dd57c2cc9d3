#pragma once

#include <cstdint>

namespace negatron {

struct LearningRateOptions {
  /// Rate at a global batch of `kReferenceBatch`; the peak is scaled linearly with the batch (Goyal et al., 2017).
  double base = 0.06;
  /// Where the cosine ends.
  double minimum = 0.0;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;
  std::int64_t global_batch = 0;

  static constexpr double kReferenceBatch = 256.0;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// Learning rate as a function of the step, so that a resumed run needs no state.
class LearningRateSchedule {
 public:
  explicit LearningRateSchedule(const LearningRateOptions& options);

  /// With peak = base * global_batch / 256, W warm-up and T total steps, step s counted from 0:
  ///   s < W   peak * (s + 1) / W                                                          linear, first step above 0
  ///   else    minimum + (peak - minimum) * (1 + cos(pi * (s - W) / (T - W))) / 2          cosine, `minimum` from T on
  double at(std::int64_t step) const noexcept;
  double peak() const noexcept { return peak_; }

 private:
  LearningRateOptions options_;
  double peak_;
};

enum class MomentumSchedule {
  kConstant,
  /// To 1 at the end, as BYOL does (Grill et al., 2020).
  kCosine,
};

struct MomentumOptions {
  double start = 0.99;
  MomentumSchedule schedule = MomentumSchedule::kConstant;
  std::int64_t total_steps = 0;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// Momentum of the key encoder after step `step`, counted from 0:
///   constant  m0
///   cosine    1 - (1 - m0) * (cos(pi * s / T) + 1) / 2
double momentum_at(const MomentumOptions& options, std::int64_t step) noexcept;

}  // namespace negatron
