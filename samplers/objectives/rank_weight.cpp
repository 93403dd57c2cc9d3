#include "samplers/objectives/rank_weight.h"

namespace negatron {
namespace {

constexpr double kEulerGamma = 0.57721566490153286061;
constexpr double kLargestLogWeight = 10.0;

}  // namespace

at::Tensor harmonic_rank_weight(const at::Tensor& ranks) {
  // H(r) = digamma(r + 1) + gamma, without a table as long as the bank.
  // 1 + 1/2 + 1/3 = 1.833 for a rank of 3 (LOSSES.md 13). Counts are sums of floating-point ones, hence the rounding.
  const at::Tensor whole = ranks.detach().to(at::kDouble).round().clamp_min(0.0);
  return (at::digamma(whole + 1.0) + kEulerGamma).to(ranks.scalar_type());
}

at::Tensor log_rank_weight(const at::Tensor& ranks) {
  return ranks.detach().round().clamp_min(1.0).log().clamp_max(kLargestLogWeight);
}

}  // namespace negatron
