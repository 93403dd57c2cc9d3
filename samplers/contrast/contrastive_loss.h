#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/contrast_batch.h"
#include "samplers/contrast/contrast_output.h"
#include "samplers/contrast/loss_step.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/negative_samplers/negative_sampler.h"
#include "samplers/objectives/registry.h"
#include "samplers/options/named_state.h"

namespace negatron {

/// One loss: an objective, where its negatives come from, and the sampler that picks them from the bank. It must not
/// move while a step of it is unfinished.
class ContrastiveLoss {
 public:
  /// `sampler` may be null when the source has no bank.
  ContrastiveLoss(const ObjectiveDescription& description, NegativeSource source, std::unique_ptr<Objective> objective,
                  std::unique_ptr<NegativeSampler> sampler);

  /// A step, as soon as its queries [b, d] fp32 or fp64 are there, with gradient; LossStep::finish takes the keys.
  /// Where neither sampler nor objective looks at keys first, the queries leave for the shards, which may score them
  /// beside the caller's thread (BankStage::score_beside). `bank` is null when the source has none; it must not change
  /// before the step is finished. Several steps may have begun; they finish in their order.
  ///
  /// Collective over `comm`, the ranks that share the batch, and over the bank's group. Throws std::invalid_argument
  /// when batch or queries do not fit.
  LossStep begin(Communicator& comm, const Bank* bank, const ContrastBatch& batch, const at::Tensor& queries);

  /// After a step that was not skipped: tells the sampler what it chose to keep, where it keeps something. Collective
  /// over `comm` then: bytes received per rank (Bg - b) 8 (n + 1).
  void learn(Communicator& comm, const ContrastBatch& batch, const NegativeResult& negatives);

  bool has_bank() const noexcept;
  bool has_batch() const noexcept;
  NegativeSource source() const noexcept { return source_; }
  const ObjectiveDescription& description() const noexcept { return description_; }
  Objective& objective() noexcept { return *objective_; }
  NegativeSampler* sampler() noexcept { return sampler_.get(); }
  /// Null without one.
  const NegativeGenerator* generator() const noexcept { return sampler_ != nullptr ? sampler_->generator() : nullptr; }
  /// What is trained beside the encoder, with names for snapshots: the objective's parameters, then those of what makes
  /// negatives.
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() const;
  BankExchange& exchange() noexcept { return exchange_; }

  /// What a later step depends on beside the objective's parameters: the sampler's state and the exchange's. Equal on
  /// all ranks. Local.
  NamedState state() const;
  /// Takes state() over, with tensors for a bank on `device`. Without `same_sampler` it is that of another sampler:
  /// then this one begins afresh, but for its parameters, which are not in here. Throws MissingState; then nothing has
  /// changed. Local.
  void restore(const NamedState& state, bool same_sampler, at::Device device);
  /// Whether state() may have a tensor of that name.
  static bool remembers(const std::string& tensor);
  /// As remembers(), of rows of the bank's width.
  static bool remembers_rows(const std::string& tensor) { return BankExchange::remembers(tensor); }

 private:
  const ObjectiveDescription& description_;
  NegativeSource source_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<NegativeSampler> sampler_;
  BankExchange exchange_;
};

}  // namespace negatron
