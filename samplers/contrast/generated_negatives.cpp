#include "samplers/contrast/generated_negatives.h"

#include <ATen/core/grad_mode.h>

#include "samplers/contrast/exact_gradient.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {

GeneratedScores::GeneratedScores(Communicator& group, const Bank& bank, const NegativeGenerator& generator,
                                 GeneratorInput input, const at::Tensor& hardest, at::ScalarType type)
    : generator_(generator), has_seed_(at::ones({input.queries.size(0)}, input.queries.options().dtype(at::kBool))) {
  if (generator.needs_seeds()) {
    const FetchedRows fetched = fetch_rows(group, bank, slots_of_keys(hardest.narrow(1, 0, 1)));
    const at::Tensor index = fetched.index.squeeze(1);
    has_seed_ = index >= 0;
    // An empty bank gives no row to read in place of none.
    input.seeds = at::zeros_like(input.queries);
    if (fetched.rows.size(0) > 0) {
      const at::Tensor rows = fetched.rows.index_select(0, index.clamp_min(0)).to(input.queries.scalar_type());
      input.seeds = rows.masked_fill(has_seed_.logical_not().unsqueeze(1), 0.0);
    }
  }
  made_ = generator.make(input);
  const at::NoGradGuard no_grad;
  scored_.emplace(input.queries, made_.vectors, has_seed_.unsqueeze(1).expand({-1, made_.vectors.size(1)}), type);
}

// An adversary gets minus the gradient of the loss, and moves what it makes toward the query.
void GeneratedScores::add_gradient(const std::vector<TermShare>& shares, std::int64_t anchors,
                                   ContrastOutput& output) const {
  at::Tensor of_loss = at::zeros_like(made_.vectors);
  if (generator_.share_of_loss() != 0.0) {
    of_loss = generator_.share_of_loss() * scored_->gradient(shares).to(made_.vectors.scalar_type());
  }
  const at::Tensor counted = made_.own_loss * has_seed_.to(made_.own_loss.scalar_type());
  const at::Tensor own = counted.sum() / static_cast<double>(anchors);
  // Nothing of it may show in the loss, not even by rounding.
  const at::Tensor without_value =
      with_known_gradients(at::zeros_like(own), {{made_.vectors, of_loss}}) + (own - own.detach());
  output.loss = output.loss + without_value;
  output.metrics["generated_similarity"] = scored_->mean_scores().sum();
  output.metrics["generator_loss"] = counted.detach().sum();
}

}  // namespace negatron
