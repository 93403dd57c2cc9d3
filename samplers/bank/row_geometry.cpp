#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Below it a row has no direction to speak of.
constexpr double kLeastLength = 1e-12;

/// [n, 1]
at::Tensor lengths(const at::Tensor& raw) {
  return raw.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastLength);
}

}  // namespace

at::Tensor scored_rows(const at::Tensor& raw, RowLength length) {
  if (length == RowLength::kAsMade) return raw;
  return raw / lengths(raw);
}

at::Tensor by_raw_rows(const at::Tensor& gradient, const at::Tensor& raw, RowLength length) {
  if (length == RowLength::kAsMade) return gradient.clone();
  const at::Tensor norms = lengths(raw);
  const at::Tensor unit = raw / norms;
  const at::Tensor radial = (gradient * unit).sum(1, /*keepdim=*/true);
  return gradient.sub(unit.mul_(radial)).div_(norms);
}

}  // namespace negatron
