#include "samplers/objectives/temperature.h"

#include <cmath>
#include <stdexcept>

namespace negatron {

Temperature::Temperature(const TemperatureOptions& options) : fixed_scale_(1.0 / options.tau) {
  if (!(options.tau > 0.0) || !std::isfinite(options.tau) || !std::isfinite(fixed_scale_)) {
    throw std::invalid_argument("the temperature must be a positive finite number");
  }
  if (!options.learned) return;
  if (fixed_scale_ > kMaxLearnedScale) {
    throw std::invalid_argument("a learned temperature must start at 0.01 or above");
  }
  const at::TensorOptions placement = at::TensorOptions(options.dtype).device(options.device);
  log_scale_ = at::scalar_tensor(std::log(fixed_scale_), placement).requires_grad_();
}

double Temperature::scale() const {
  if (!learned()) return fixed_scale_;
  const at::NoGradGuard no_grad;
  at::Tensor parameter = log_scale_;
  parameter.clamp_max_(std::log(kMaxLearnedScale));
  return std::exp(parameter.item<double>());
}

std::vector<at::Tensor> Temperature::parameters() const {
  if (!learned()) return {};
  return {log_scale_};
}

}  // namespace negatron
