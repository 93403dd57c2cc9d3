#include "samplers/exchange/mixes/mixes.h"

namespace negatron {
namespace {

/// Opposite rows mix to nothing, and a direction of nothing would be NaN.
constexpr double kLeastNorm = 1e-12;

/// [..., d] -> [..., 1]
at::Tensor norm_of(const at::Tensor& vectors) {
  return vectors.square().sum(-1, true).sqrt_().clamp_min_(kLeastNorm);
}

}  // namespace

ListedVectors mix_pairs(const at::Tensor& first, const at::Tensor& second, const at::Tensor& first_scores,
                        const at::Tensor& second_scores, const at::Tensor& alpha) {
  const at::Tensor share = alpha.to(first_scores.scalar_type());
  const at::Tensor rest = 1.0 - share;
  at::Tensor mixed = (first * share.unsqueeze(2)).addcmul_(second, rest.unsqueeze(2));  // [Q, s, d]
  const at::Tensor norm = norm_of(mixed);
  ListedVectors mixes;
  mixes.scores = (first_scores * share + second_scores * rest) / norm.squeeze(2);
  mixes.gradients = mixed.div_(norm);
  mixes.present = at::ones_like(mixes.scores, mixes.scores.options().dtype(at::kBool));
  return mixes;
}

ListedVectors mix_with_query(const at::Tensor& queries, const at::Tensor& rows, const at::Tensor& scores,
                             const at::Tensor& beta, bool attached) {
  const at::Tensor share = beta.to(scores.scalar_type());
  const at::Tensor rest = 1.0 - share;
  at::Tensor mixed = (rows * rest.unsqueeze(2)).addcmul_(queries.unsqueeze(1), share.unsqueeze(2));  // [Q, s', d]
  const at::Tensor norm = norm_of(mixed);
  const at::Tensor length = norm.squeeze(2);
  const at::Tensor unscaled = share + rest * scores;
  ListedVectors mixes;
  mixes.scores = unscaled / length;
  if (attached) {
    const at::Tensor by_score = rest / length - unscaled * share * rest / length.pow(3);
    mixes.gradients = rows * by_score.unsqueeze(2);
  } else {
    mixes.gradients = mixed.div_(norm);
  }
  mixes.present = at::ones_like(mixes.scores, mixes.scores.options().dtype(at::kBool));
  return mixes;
}

}  // namespace negatron
