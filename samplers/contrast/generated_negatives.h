#pragma once

#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/contrast_output.h"
#include "samplers/contrast/listed_negatives.h"
#include "samplers/generators/generator.h"

namespace negatron {

/// What a generator made for own queries in a step, scored, and its way back from the loss to the generator.
class GeneratedScores {
 public:
  /// Makes them of queries [b, d] and keys [b, d], without gradient, and where the generator asks for it of each
  /// query's hardest row: `hardest` [b, N] keys, N at least 1. They are scored in `type`. Collective over `group`, the
  /// ranks that share the bank, with a generator that needs seeds (the bytes are those of fetch_rows()), else local.
  GeneratedScores(Communicator& group, const Bank& bank, const NegativeGenerator& generator, GeneratorInput input,
                  const at::Tensor& hardest, at::ScalarType type);

  /// The terms over what was made, to be merged with those over what was met. Local.
  PassResult score(const std::vector<ScoreTerm>& terms) const { return scored_->score(terms); }

  /// Adds to `output` the gradient that the generator takes of the loss and of its own: `shares` [b] are of terms over
  /// all negatives, the loss is a mean over `anchors`. The value of the loss stays the encoder's. Metrics are
  /// "generated_similarity", the mean score of what was made, 0 for a query of which nothing was, and "generator_loss",
  /// the generator's own. Local.
  void add_gradient(const std::vector<TermShare>& shares, std::int64_t anchors, ContrastOutput& output) const;

 private:
  const NegativeGenerator& generator_;
  GeneratedNegatives made_;
  at::Tensor has_seed_;  // [b] bool: without a seed nothing is made
  std::optional<ListedNegatives> scored_;
};

}  // namespace negatron
