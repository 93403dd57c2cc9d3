#include "samplers/objectives/one_positive.h"

namespace negatron {

OnePositive one_positive(const at::Tensor& negatives, const at::Tensor& positives, double scale) {
  const at::Tensor logits = positives * scale;
  const at::Tensor margin = negatives - logits;
  // ATen's softplus drops the second term from 20 on, which fp64 would notice.
  const at::Tensor loss = margin.clamp_min(0.0) + margin.abs().neg().exp().log1p();
  return {loss, margin.sigmoid(), logits + loss};
}

}  // namespace negatron
