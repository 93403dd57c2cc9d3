#include "samplers/pass/kernel_trial.h"

#include <algorithm>
#include <cmath>

#include "samplers/bank/random_rows.h"

namespace negatron {
namespace {

constexpr std::int64_t kQueries = 70;
constexpr std::int64_t kRows = 300;

double distance(const at::Tensor& a, const at::Tensor& b) {
  const double largest = (a - b).abs().max().item<double>();
  // A comparison with NaN is false, which a maximum would take for no difference at all.
  return std::isnan(largest) ? INFINITY : largest;
}

bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || at::equal(a, b));
}

}  // namespace

Rows trial_rows(at::Device place, std::int64_t width) {
  Rows rows;
  rows.vectors = random_unit_rows(1, 0, kRows, width).to(at::kBFloat16).to(place);
  // Every ninth row: holes at places that differ from tile to tile.
  const at::Tensor holes = at::arange(kRows) % 9 == 4;
  rows.validity = at::zeros({kRows}, at::kFloat).masked_fill_(holes, -INFINITY).to(place);
  rows.slots = at::arange(kRows, at::kLong).to(place);
  rows.leaves = {{0, 0, kRows, kRows - holes.sum().item<std::int64_t>()}};
  return rows;
}

PassRequest trial_request(at::Device place, std::int64_t width, int terms, int parts) {
  constexpr double kCoarse = 5.0;
  const double fine = 2.0 * kMostCoarseScale * std::sqrt(static_cast<double>(width));
  PassRequest request;
  request.candidates.queries = random_unit_rows(2, 0, kQueries, width).to(at::kFloat).to(place);
  // Among them the first and the last query and row, and places beside the edges of tiles of 32 and 64. No row is a
  // hole.
  request.candidates.exclusions = at::tensor({0, 0, 0, 299, 69, 0, 69, 64, 31, 63}, at::kLong).view({-1, 2});
  request.bias = at::linspace(-1.0, 1.0, kRows, at::kFloat).to(place);
  request.want_max = true;
  for (int term = 0; term < terms; ++term) {
    // Twice the scale from which on kernels split queries: the second part must then show.
    request.terms.emplace_back().scale = parts > 1 && term == 0 ? fine : kCoarse - term;
  }
  return request;
}

double distance(const PassResult& a, const PassResult& b, const PassRequest& request) {
  double most = same(a.count, b.count) && same(a.best, b.best) ? distance(a.max, b.max) : INFINITY;
  for (std::size_t i = 0; i < a.terms.size(); ++i) {
    most = std::max(most, distance(a.terms[i].value, b.terms[i].value));
    most = std::max(most, distance(a.terms[i].gradient, b.terms[i].gradient) / request.terms[i].scale);
  }
  return most;
}

}  // namespace negatron
