#pragma once

#include <memory>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/objectives/registry.h"
#include "samplers/policies/negative_sampler.h"

namespace negatron {

/// This rank's part of a step.
struct ContrastInput {
  at::Tensor queries;     // [b, d] fp32 or fp64, with gradient
  at::Tensor keys;        // [b, d] same dtype; with gradient when both views pass the query encoder
  at::Tensor ids;         // [b] int64 or undefined
  at::Tensor labels;      // [b] int64 or undefined
  at::Tensor key_labels;  // [b] int64; undefined when they are those of the queries, as they are for views of one image
  QuerySplit split;       // over the ranks of `comm`
  /// The ranks that share the bank, and the split over them; null when these are the ranks of `comm`.
  Communicator* bank_group = nullptr;
  QuerySplit bank_split;
  std::int64_t step = 0;
  double epoch = 0.0;
  double progress = 0.0;
  /// So many hardest rows of each query are wanted in `ContrastOutput::negatives`; 0 for none.
  std::int64_t report_hardest = 0;
};

/// Scalars are sums over this rank's anchors unless said otherwise.
struct ContrastOutput {
  /// This rank's part of the global loss, with gradient: its sum over ranks is the loss, and the sum over ranks of the
  /// gradients with respect to parameters is the gradient of the loss, exactly, also for ragged batches.
  at::Tensor loss;
  at::Tensor per_anchor;           // [A] without gradient
  at::Tensor positive_similarity;  // s+ over own queries
  /// Over own queries: the mean score of the negatives as the first term's softmax weights them; 0 when there is none.
  at::Tensor negative_similarity;
  /// Queries whose positive is strictly more similar than every real negative (proxy-task accuracy, algorithms.md 13.2).
  at::Tensor correct;
  std::map<std::string, at::Tensor> metrics;
  /// What the bank gave; empty without one.
  NegativeResult negatives;
};

/// One loss: an objective, where its negatives come from, and the sampler that picks them from the bank.
class ContrastiveLoss {
 public:
  /// `sampler` may be null when the source has no bank.
  ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source, std::unique_ptr<Objective> objective,
                  std::unique_ptr<NegativeSampler> sampler);

  /// Collective over `comm`, the ranks that share the batch, and over the bank's group. `bank` is null when the source
  /// has none. Everything collective happens in here, nothing in backward. Throws std::invalid_argument when the input
  /// does not fit.
  ///
  /// In-batch, the gradient to other views is computed at their owners from each anchor's few numbers, not sent as
  /// vectors (algorithms.md 1.10). Bytes received per rank beside the bank's, Bg views a side, w bytes an element, T
  /// terms: all views (Bg - b) d w a side, and (Bg - b) 3 T w a side of anchors.
  ContrastOutput compute(Communicator& comm, const Bank* bank, const ContrastInput& input);

  Objective& objective() noexcept { return *objective_; }
  NegativeSampler* sampler() noexcept { return sampler_.get(); }
  BankExchange& exchange() noexcept { return exchange_; }

 private:
  NegativeRequest draw(const Bank& bank, const QueryBatch& batch, const ContrastInput& input,
                       const std::vector<ObjectiveTerm>& terms) const;

  const ObjectiveDescription& description_;
  NegativeSource source_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<NegativeSampler> sampler_;
  BankExchange exchange_;
};

}  // namespace negatron
