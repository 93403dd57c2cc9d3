#include "samplers/objectives/temperature.h"

#include <cmath>
#include <stdexcept>

#include <ATen/core/grad_mode.h>

namespace negatron {

Temperature::Temperature(const TemperatureOptions& options) : fixed_scale_(1.0 / options.tau) {
  if (!(options.tau > 0.0) || !std::isfinite(options.tau) || !std::isfinite(fixed_scale_)) {
    throw std::invalid_argument("the temperature must be a positive finite number");
  }
  if (!options.learned) return;
  if (fixed_scale_ > kMaxLearnedScale) {
    throw std::invalid_argument("a learned temperature must start at 0.01 or above");
  }
  log_scale_ = learned_scalar(std::log(fixed_scale_), options);
}

double Temperature::scale() const {
  // The optimizer knows nothing of the limit, so the parameter is set back whenever it is read: before terms are made,
  // and thus before any use of a step. All ranks hold the same parameter and set it back alike.
  if (!learned()) return fixed_scale_;
  const at::NoGradGuard no_grad;
  at::Tensor parameter = log_scale_;
  parameter.clamp_max_(std::log(kMaxLearnedScale));
  return std::exp(parameter.item<double>());
}

at::Tensor Temperature::logits(const at::Tensor& scores) const {
  // Where the scale is learned the logit depends on it in autograd's graph; terms get that part of the gradient from
  // log_scale.
  const double now = scale();
  return learned() ? scores * log_scale_.to(scores.scalar_type()).exp() : scores * now;
}

ObjectiveTerm Temperature::log_sum_exp(double factor) const {
  ObjectiveTerm objective_term;
  objective_term.term.scale = factor * scale();
  objective_term.log_scale = log_scale_;
  return objective_term;
}

std::vector<at::Tensor> Temperature::parameters() const {
  if (!learned()) return {};
  return {log_scale_};
}

at::Tensor learned_scalar(double value, const TemperatureOptions& placement) {
  return at::scalar_tensor(value, at::TensorOptions(placement.dtype).device(placement.device)).requires_grad_();
}

}  // namespace negatron
