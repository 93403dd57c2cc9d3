#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/bank.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron::testing {

/// A few steps of a job with one sampler and one objective over a bank that has ties and rows of the queries' own
/// samples, on any number of ranks and shards: a queue with holes, a memory bank, whose rows are the positives, a
/// learned one, whose rows are trained, or an index, whose rows are made anew. Where the sampler mines, each query
/// meets mined samples as well.
struct SamplerTrial {
  std::function<std::unique_ptr<NegativeSampler>()> make_sampler;
  /// Mined samples that a query meets; set by trial_of().
  std::int64_t mined = 0;
  std::string objective = "info-nce";
  std::string objective_options;
  at::ScalarType dtype = at::kDouble;
  BankKind bank_kind = BankKind::kQueue;
  /// kAsMade and kDistance spread the lengths of queries, keys and rows from 0.1 to 5, those of ties alike, at tau = 1.
  RowLength length = RowLength::kUnit;
  /// Begin each step twice before either is finished, with so many threads that score beside the rank's; none: each is
  /// finished as soon as it began.
  std::optional<int> side_threads;
};

/// Put together from all ranks, in the order of the global batch.
struct SamplerOutcome {
  std::vector<double> losses;  // one for each step
  at::Tensor gradients;    // [steps * Bg * (1 + mined), d] with respect to the queries, then what was mined for them
  at::Tensor counts;       // [steps * Bg] int64, negatives that each query met
  at::Tensor hardest;      // [steps * Bg, 4] slots of the hardest candidates
  std::int64_t begun = 0;  // steps that began before their keys were there
};

SamplerOutcome run_sampler_trial(const SamplerTrial& trial, int ranks, int shards);

/// A trial of a sampler with its options.
SamplerTrial trial_of(const std::string& name, const std::string& options, at::ScalarType dtype = at::kDouble);

/// Throws std::invalid_argument when the text does not fit the sampler.
std::unique_ptr<NegativeSampler> make_test_sampler(const std::string& name, const std::string& options,
                                                   at::ScalarType dtype = at::kDouble);

/// Largest difference of two outcomes relative to the size of what they hold; infinity when counts or hardest rows
/// differ at all.
double difference(const SamplerOutcome& left, const SamplerOutcome& right);

}  // namespace negatron::testing
