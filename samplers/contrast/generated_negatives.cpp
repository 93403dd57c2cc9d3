#include "samplers/contrast/generated_negatives.h"

#include <algorithm>

#include "samplers/contrast/exact_gradient.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/pass/listed_pass.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {

GeneratedScores::GeneratedScores(Communicator& group, const Bank& bank, const NegativeGenerator& generator,
                                 GeneratorInput input, const at::Tensor& hardest, at::ScalarType type)
    : generator_(generator), queries_(input.queries.to(type)) {
  at::Tensor has_seed = at::ones({queries_.size(0), 1}, queries_.options().dtype(at::kBool));
  if (generator.needs_seeds()) {
    const FetchedRows fetched = fetch_rows(group, bank, slots_of_keys(hardest.narrow(1, 0, 1)));
    has_seed = fetched.index >= 0;
    const at::Tensor index = fetched.index.squeeze(1);
    // An empty bank gives no row to read in place of none.
    input.seeds = at::zeros_like(input.queries);
    if (fetched.rows.size(0) > 0) {
      const at::Tensor rows = fetched.rows.index_select(0, index.clamp_min(0)).to(input.queries.scalar_type());
      input.seeds = rows.masked_fill(has_seed.logical_not(), 0.0);
    }
  }
  made_ = generator.make(input);
  const at::NoGradGuard no_grad;
  scores_ = made_.vectors.detach().to(type).bmm(queries_.unsqueeze(2)).squeeze(2);
  present_ = has_seed.expand_as(scores_);
}

PassResult GeneratedScores::score(const std::vector<ScoreTerm>& terms) const {
  ListedVectors listed;
  listed.scores = scores_;
  listed.gradients = made_.vectors.detach().to(queries_.scalar_type());
  listed.present = present_;
  return run_listed(queries_, listed, terms, true);
}

// As a row of the bank that only this query met: dL/dn = sum over terms of dL/dt p(s) g'(s) q.
//
// Example: InfoNCE at scale 5, s = 0.2 for a row of the bank and 0.6 for what was made, s+ = 0.8: t = log(e^1 + e^3) =
// 3.12693, dL/dt = sigmoid(3.12693 - 4) = 0.29462 and p = exp(3 - 3.12693) = 0.88080, so dL/dn is 0.29462 * 0.88080 * 5
// q = 1.29750 q. An adversary gets minus that, and moves what it makes toward the query.
void GeneratedScores::add_gradient(const std::vector<TermShare>& shares, std::int64_t anchors,
                                   ContrastOutput& output) const {
  at::Tensor of_loss;
  {
    const at::NoGradGuard no_grad;
    at::Tensor weights = at::zeros_like(scores_);
    if (!shares.empty() && generator_.share_of_loss() != 0.0) {
      const at::ScalarType type = shares.front().result.value.scalar_type();
      const at::Tensor numbers = share_numbers(shares, type);  // [b, T, 3]
      for (std::size_t i = 0; i < shares.size(); ++i) {
        const ScoreTerm& term = shares[i].term;
        if (!term.want_gradient || term.rows == TermRows::kPositives) continue;
        const at::Tensor of_term = numbers.select(1, static_cast<std::int64_t>(i)).unsqueeze(1);
        weights += by_score(term, scores_.to(type), of_term).to(weights.scalar_type());
      }
      weights = generator_.share_of_loss() * weights.masked_fill(present_.logical_not(), 0.0);
    }
    of_loss = (weights.unsqueeze(2) * queries_.unsqueeze(1)).to(made_.vectors.scalar_type());  // [b, L, d]
  }
  const at::Tensor counted = made_.own_loss * present_.select(1, 0).to(made_.own_loss.scalar_type());
  const at::Tensor own = counted.sum() / static_cast<double>(anchors);
  // Nothing of it may show in the loss, not even by rounding.
  const at::Tensor without_value =
      with_known_gradients(at::zeros_like(own), {{made_.vectors, of_loss}}) + (own - own.detach());
  output.loss = output.loss + without_value;
  output.metrics["generated_similarity"] = scores_.masked_fill(present_.logical_not(), 0.0).mean(1).sum();
  output.metrics["generator_loss"] = counted.detach().sum();
}

}  // namespace negatron
