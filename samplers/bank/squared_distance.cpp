#include "samplers/bank/squared_distance.h"

namespace negatron {
namespace {

/// [..., 1]
at::Tensor half_square(const at::Tensor& vectors) {
  return vectors.square().sum(-1, /*keepdim=*/true) * -0.5;
}

}  // namespace

at::Tensor distance_rows(const at::Tensor& rows) {
  const at::Tensor square = half_square(rows);
  return at::cat({rows, square, at::ones_like(square)}, -1);
}

at::Tensor distance_queries(const at::Tensor& queries) {
  const at::Tensor square = half_square(queries);
  return at::cat({queries, at::ones_like(square), square}, -1);
}

at::Tensor by_distance_rows(const at::Tensor& gradient, const at::Tensor& rows) {
  const std::int64_t width = rows.size(1);
  return gradient.narrow(1, 0, width) - gradient.narrow(1, width, 1) * rows;
}

}  // namespace negatron
