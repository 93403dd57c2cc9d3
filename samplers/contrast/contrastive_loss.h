#pragma once

#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/contrast_input.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/negative_samplers/negative_sampler.h"
#include "samplers/objectives/registry.h"

namespace negatron {

/// The bank's part of a step that has begun before its keys were there.
struct StartedBankStage {
  NegativeRequest request;  // as the sampler drew it
  StartedExchange exchange;
};

/// One loss: an objective, where its negatives come from, and the sampler that picks them from the bank.
class ContrastiveLoss {
 public:
  /// `sampler` may be null when the source has no bank.
  ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source, std::unique_ptr<Objective> objective,
                  std::unique_ptr<NegativeSampler> sampler);

  /// Begins what needs no keys before they are there: sends the queries to the shards, which may score them beside the
  /// caller's thread (BankExchange::score_beside). `input` is that of compute(), without keys. Nothing where
  /// the source has no bank, or objective or sampler look at keys first. Collective over the bank's group; the bank
  /// must not change before compute(). Throws as compute().
  std::optional<StartedBankStage> start(Communicator& comm, const Bank* bank, const ContrastInput& input);

  /// Collective over `comm`, the ranks that share the batch, and over the bank's group. `bank` is null when the source
  /// has none. Everything collective happens in here, nothing in backward. Throws std::invalid_argument when the input
  /// does not fit.
  ///
  /// In-batch, the gradient to other views is computed at their owners from each anchor's few numbers, not sent as
  /// vectors (algorithms.md 1.10). Bytes received per rank beside the bank's, Bg views a side, w bytes an element, T
  /// terms: all views (Bg - b) d w a side, and (Bg - b) 3 T w a side of anchors.
  ///
  /// `started` is what start() gave for this input; steps that have begun are computed in their order.
  ContrastOutput compute(Communicator& comm, const Bank* bank, const ContrastInput& input,
                         std::optional<StartedBankStage> started = std::nullopt);

  Objective& objective() noexcept { return *objective_; }
  NegativeSampler* sampler() noexcept { return sampler_.get(); }
  BankExchange& exchange() noexcept { return exchange_; }

 private:
  NegativeRequest request_of(const Bank& bank, const QueryBatch& batch, const ContrastInput& input,
                             const std::vector<ObjectiveTerm>& terms) const;

  const ObjectiveDescription& description_;
  NegativeSource source_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<NegativeSampler> sampler_;
  BankExchange exchange_;
};

}  // namespace negatron
