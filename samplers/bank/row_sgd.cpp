#include "samplers/bank/row_sgd.h"

namespace negatron {

void raise(const RowSgd& optimizer, const at::Tensor& raw, const at::Tensor& velocity, const at::Tensor& gradient) {
  velocity.mul_(optimizer.momentum).sub_(gradient);
  if (optimizer.weight_decay > 0.0) velocity.add_(raw, optimizer.weight_decay);
  raw.sub_(velocity, optimizer.rate);
}

}  // namespace negatron
