#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "samplers/objectives/objective.h"

namespace negatron {

/// How similarities become logits: divided by tau.
struct TemperatureOptions {
  double tau = 0.2;
  /// Learned with the encoder, starting from tau.
  bool learned = false;
  /// Of the learned parameter: those of the encoder's, with which its gradient is reduced.
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
};

/// The scale c = 1/tau of the logits, fixed or learned. Learned as CLIP does: the parameter is log c, and c is kept at
/// or below 100, because nothing else stops it from growing. Replicated: all ranks hold the same value. Local.
class Temperature {
 public:
  static constexpr double kMaxLearnedScale = 100.0;

  /// Throws std::invalid_argument when tau is not positive and finite, or learned and below 1 / kMaxLearnedScale.
  explicit Temperature(const TemperatureOptions& options);

  /// c. Pulls a learned parameter that the optimizer took too far back to the limit first.
  double scale() const;
  /// c times `scores`, with gradient to both when learned. Elementwise.
  at::Tensor logits(const at::Tensor& scores) const;
  /// log sum_j exp(factor c s_j) over all candidates, with its gradient to a learned c.
  ObjectiveTerm log_sum_exp(double factor = 1.0) const;
  bool learned() const noexcept { return log_scale_.defined(); }
  /// log c, a scalar with gradient; undefined when fixed.
  const at::Tensor& log_scale() const noexcept { return log_scale_; }
  /// log_scale() when learned, else nothing.
  std::vector<at::Tensor> parameters() const;

 private:
  double fixed_scale_;
  at::Tensor log_scale_;
};

/// A scalar that is learned with the encoder, of the dtype and on the device that `placement` names. Local.
at::Tensor learned_scalar(double value, const TemperatureOptions& placement);

}  // namespace negatron
