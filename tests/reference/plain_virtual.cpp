#include "tests/reference/plain_virtual.h"

#include <torch/autograd.h>

#include "samplers/bank/random_rows.h"

namespace negatron::testing {
namespace {

/// Enough for gaps between eigenvalues of some percent; most anchors are there sooner.
constexpr int kMostIterations = 400;
constexpr double kStandsStill = 1e-15;
constexpr std::uint64_t kSeed = 21;

/// [A, n, d] each anchor's, over its length.
at::Tensor of_unit_length(const at::Tensor& direction) {
  return direction / direction.norm(2, {1, 2}, true).clamp_min(1e-300);
}

}  // namespace

at::Tensor log_softmax_of(const at::Tensor& queries, const at::Tensor& candidates, double tau) {
  return at::log_softmax(candidates.matmul(queries.unsqueeze(2)).squeeze(2) / tau, 1);
}

at::Tensor plain_divergence(const at::Tensor& queries, const at::Tensor& candidates, const VirtualMoves& fixed,
                            double tau) {
  const at::Tensor after = log_softmax_of(queries, candidates + fixed.moves, tau);
  return (at::xlogy(fixed.prediction, fixed.prediction) - fixed.prediction * after).sum(1);
}

VirtualMoves plain_virtual_moves(const at::Tensor& queries, const at::Tensor& candidates, double tau, double epsilon) {
  const at::Tensor fixed_queries = queries.detach();
  const at::Tensor fixed_candidates = candidates.detach();
  VirtualMoves moved;
  moved.prediction = log_softmax_of(fixed_queries, fixed_candidates, tau).exp();

  const at::Tensor moves = at::zeros_like(fixed_candidates).requires_grad_();
  const at::Tensor divergence = plain_divergence(fixed_queries, fixed_candidates, {moved.prediction, moves}, tau).sum();
  const at::Tensor slope = torch::autograd::grad({divergence}, {moves}, {}, true, /*create_graph=*/true).front();
  const std::int64_t anchors = candidates.size(0);
  const std::int64_t count = candidates.size(1);
  at::Tensor direction =
      random_unit_rows(kSeed, 0, anchors * count, candidates.size(2)).view({anchors, count, -1}).to(at::kDouble);
  double moved_by = 1.0;
  for (int i = 0; i < kMostIterations && moved_by > kStandsStill; ++i) {
    const at::Tensor next =
        of_unit_length(torch::autograd::grad({slope}, {moves}, {direction}, /*retain_graph=*/true).front());
    moved_by = (next - direction).abs().max().item<double>();
    direction = next;
  }
  const at::Tensor one_way = epsilon * direction / direction.norm(2, {2}, true).clamp_min(1e-300);
  const at::Tensor by_one = plain_divergence(fixed_queries, fixed_candidates, {moved.prediction, one_way}, tau);
  const at::Tensor by_other = plain_divergence(fixed_queries, fixed_candidates, {moved.prediction, -one_way}, tau);
  moved.moves = at::where(by_one.ge(by_other).view({-1, 1, 1}), one_way, -one_way);
  return moved;
}

}  // namespace negatron::testing
