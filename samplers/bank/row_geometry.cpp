#include "samplers/bank/row_geometry.h"

#include "samplers/bank/squared_distance.h"

namespace negatron {
namespace {

/// Below it a row has no direction to speak of.
constexpr double kLeastLength = 1e-12;

/// [n, 1]
at::Tensor lengths(const at::Tensor& raw) {
  return raw.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastLength);
}

}  // namespace

at::Tensor rows_of_vectors(const at::Tensor& vectors, RowLength length) {
  return length == RowLength::kDistance ? distance_rows(vectors) : vectors;
}

at::Tensor queries_of_vectors(const at::Tensor& vectors, RowLength length) {
  return length == RowLength::kDistance ? distance_queries(vectors) : vectors;
}

at::Tensor vectors_of_rows(const at::Tensor& rows, RowLength length) {
  return rows.narrow(-1, 0, vector_width(length, rows.size(-1)));
}

bool can_be_stored(RowLength length, at::ScalarType dtype) {
  return length != RowLength::kDistance || dtype == at::kFloat || dtype == at::kDouble;
}

at::Tensor scored_rows(const at::Tensor& raw, RowLength length) {
  if (length != RowLength::kUnit) return rows_of_vectors(raw, length);
  return raw / lengths(raw);
}

at::Tensor by_raw_rows(const at::Tensor& gradient, const at::Tensor& raw, RowLength length) {
  if (length == RowLength::kAsMade) return gradient.clone();
  if (length == RowLength::kDistance) return by_distance_rows(gradient, raw);
  const at::Tensor norms = lengths(raw);
  const at::Tensor unit = raw / norms;
  const at::Tensor radial = (gradient * unit).sum(1, /*keepdim=*/true);
  return gradient.sub(unit.mul_(radial)).div_(norms);
}

}  // namespace negatron
