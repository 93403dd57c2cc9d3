#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/encoders/encoder_pair.h"
#include "runtime/encoders/precision.h"
#include "runtime/training/pretrain_options.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// What is known of each training sample beside its label, [samples] int64 each, undefined where nothing is.
struct SampleFacts {
  /// As read_sample_types() gives them.
  at::Tensor types;
  /// As read_sample_counts() gives them.
  at::Tensor counts;
};

/// Objective, source of negatives and sampler that the options ask for, found to work together.
struct ContrastSetup {
  ObjectiveDescription objective;
  MethodOptions objective_options;
  NegativeSource source = NegativeSource::kBank;
  SamplerDescription sampler;
  MethodOptions sampler_options;

  BankKind bank_kind = BankKind::kQueue;

  bool has_bank() const { return source == NegativeSource::kBank || source == NegativeSource::kBankAndBatch; }
  /// The positive of a query is its own sample's row of the bank, and what the encoder makes of it is blended in.
  bool has_memory() const { return has_bank() && bank_kind == BankKind::kMemory; }
  /// The bank has a row for each sample, which is made anew from time to time and not by steps.
  bool has_index() const { return has_bank() && bank_kind == BankKind::kIndex; }
  /// The bank has as many rows as there are samples.
  bool has_rows_of_samples() const { return has_bank() && rows_have_samples(bank_kind); }
  /// What the sampler mines in an index; nothing for one that mines nothing.
  std::optional<Mining> mining() const {
    return has_bank() && sampler.mines != nullptr ? std::optional(sampler.mines(sampler_options)) : std::nullopt;
  }
  /// Rows of the bank are trained against the loss.
  bool has_learned() const { return has_bank() && bank_kind == BankKind::kLearned; }
  /// The positive of a query is its own sample's row of the bank, and rows are trained with the encoder.
  bool has_parametric() const { return has_bank() && bank_kind == BankKind::kParametric; }
  bool has_rows_that_learn() const { return has_bank() && rows_learn(bank_kind); }
  bool has_rows_as_positives() const { return has_bank() && rows_are_positives(bank_kind); }
  /// Queries leave out rows of their own sample.
  bool masks_own_sample(const PretrainOptions& options) const {
    // Learned rows are nobody's: the ids need not travel.
    return has_bank() && options.mask_own_sample && !has_learned();
  }
  /// Views of a sample in a batch, with those of what was mined for it.
  std::int64_t views_in_batch(const PretrainOptions& options) const {
    const std::optional<Mining> mined = mining();
    return options.views_of_sample() + (mined ? mined->met : 0);
  }
  KeyMaker keys() const {
    // Both sides of what was mined take gradient.
    if (source == NegativeSource::kBatch || mining()) return KeyMaker::kQueryEncoder;
    return has_rows_as_positives() ? KeyMaker::kNobody : KeyMaker::kMomentumEncoder;
  }
};

/// Throws std::invalid_argument with one sentence that names the flag to change: unknown names (and the nearest),
/// options that are wrong, sources that an objective has not, samplers without a bank, a bank or batch that is too
/// small, needs that the options do not meet. Once a run, before the data are there. Local.
ContrastSetup resolve_contrast(const PretrainOptions& options);

/// The same of what depends on the data; `has_labels` is what the source of the images says. Local.
void require_data(const PretrainOptions& options, const ContrastSetup& setup, const SampleFacts& facts,
                  bool has_labels);

/// Throws std::invalid_argument where a sampler mines more of the other samples than there are. Local.
void require_samples_to_mine(const ContrastSetup& setup, std::int64_t samples);

std::unique_ptr<ContrastiveLoss> make_contrastive_loss(const PretrainOptions& options, const ContrastSetup& setup,
                                                       at::ScalarType dtype, at::Device device,
                                                       std::int64_t steps_per_epoch, const SampleFacts& facts = {});

/// Settings that work but hardly can be meant, one sentence each.
std::vector<std::string> contrast_warnings(const PretrainOptions& options, const ContrastSetup& setup);

}  // namespace negatron
