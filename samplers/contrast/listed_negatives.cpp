#include "samplers/contrast/listed_negatives.h"

#include <ATen/core/grad_mode.h>

#include "samplers/pass/listed_pass.h"

namespace negatron {

ListedNegatives::ListedNegatives(const at::Tensor& queries, const at::Tensor& vectors, const at::Tensor& present,
                                 at::ScalarType type, const at::Tensor& positive)
    : queries_(queries.detach().to(type)),
      vectors_(vectors.detach().to(type)),
      scores_(vectors_.bmm(queries_.unsqueeze(2)).squeeze(2)),
      present_(present),
      positive_(positive) {}

PassResult ListedNegatives::score(const std::vector<ScoreTerm>& terms) const {
  ListedVectors listed;
  listed.scores = scores_;
  listed.gradients = vectors_;
  listed.present = present_;
  listed.positive = positive_;
  return run_listed(queries_, listed, terms, true);
}

// As of a row of the bank that only this query met: dL/dv = sum over terms of dL/dt p(s) g'(s) q.
//
// Example: InfoNCE at scale 5, s = 0.2 for a row of the bank and 0.6 for an own vector, s+ = 0.8: t = log(e^1 + e^3) =
// 3.12693, dL/dt = sigmoid(3.12693 - 4) = 0.29462 and p = exp(3 - 3.12693) = 0.88080, so dL/dv is 0.29462 * 0.88080 * 5
// q = 1.29750 q.
at::Tensor ListedNegatives::gradient(const std::vector<TermShare>& shares) const {
  const at::NoGradGuard no_grad;
  at::Tensor weights = at::zeros_like(scores_);
  if (!shares.empty()) {
    const at::ScalarType type = shares.front().result.value.scalar_type();
    const at::Tensor numbers = share_numbers(shares, type);  // [b, T, 3]
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const ScoreTerm& term = shares[i].term;
      const bool of_positives = term.rows == TermRows::kPositives;
      if (!term.want_gradient || (of_positives && !positive_.defined())) continue;
      const at::Tensor of_term = numbers.select(1, static_cast<std::int64_t>(i)).unsqueeze(1);
      const at::Tensor by_scores = by_score(term, scores_.to(type), of_term).to(weights.scalar_type());
      weights += of_positives ? by_scores.masked_fill(positive_.logical_not(), 0.0) : by_scores;
    }
  }
  weights.masked_fill_(present_.logical_not(), 0.0);
  return weights.unsqueeze(2) * queries_.unsqueeze(1);
}

at::Tensor ListedNegatives::mean_scores() const {
  return scores_.masked_fill(present_.logical_not(), 0.0).mean(1);
}

}  // namespace negatron
