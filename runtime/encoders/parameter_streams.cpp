#include "runtime/encoders/parameter_streams.h"

namespace negatron {

void ParameterStreams::fill(const at::Tensor& parameter, const Draw& draw) {
  CounterRng random(seed_, Purpose::kInitialization, 0, next_++);
  at::Tensor values = at::empty(parameter.sizes(), at::kDouble);
  double* const begin = values.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) begin[i] = draw(random);
  parameter.copy_(values);
}

void ParameterStreams::fill_constant(const at::Tensor& parameter, double value) {
  ++next_;
  parameter.fill_(value);
}

}  // namespace negatron
