#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/encoders/encoder_pair.h"
#include "runtime/encoders/precision.h"
#include "runtime/training/pretrain_options.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

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
  /// Rows of the bank are trained against the loss.
  bool has_learned() const { return has_bank() && bank_kind == BankKind::kLearned; }
  /// Queries leave out rows of their own sample.
  bool masks_own_sample(const PretrainOptions& options) const {
    // Learned rows are nobody's: the ids need not travel.
    return has_bank() && options.mask_own_sample && !has_learned();
  }
  KeyMaker keys() const {
    if (source == NegativeSource::kBatch) return KeyMaker::kQueryEncoder;
    return has_memory() ? KeyMaker::kNobody : KeyMaker::kMomentumEncoder;
  }
};

/// Throws std::invalid_argument with one sentence that names the flag to change: unknown names (and the nearest),
/// options that are wrong, sources that an objective has not, samplers without a bank, a bank or batch that is too
/// small, needs that the options do not meet. Once a run, before the data are there. Local.
ContrastSetup resolve_contrast(const PretrainOptions& options);

/// The same of what depends on the data: `sample_types` are [samples] int64 as read_sample_types() gives them,
/// undefined for none; `has_labels` is what the source of the images says. Local.
void require_data(const PretrainOptions& options, const ContrastSetup& setup, const at::Tensor& sample_types,
                  bool has_labels);

std::unique_ptr<ContrastiveLoss> make_contrastive_loss(const PretrainOptions& options, const ContrastSetup& setup,
                                                       at::ScalarType dtype, at::Device device,
                                                       std::int64_t steps_per_epoch,
                                                       const at::Tensor& sample_types = {});

/// Settings that work but hardly can be meant, one sentence each.
std::vector<std::string> contrast_warnings(const PretrainOptions& options, const ContrastSetup& setup);

}  // namespace negatron
