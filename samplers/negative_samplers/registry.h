#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "samplers/negative_samplers/negative_sampler.h"
#include "samplers/options/method_options.h"

namespace negatron {

/// What a sampler cannot do without, beside queries and a bank. A run supplies some; the rest refuses it at start.
enum class Need {
  kLabels,
  kOracleConsent,  ///< --allow-oracle: it sees labels that self-supervised training must not see
  kTypes,          ///< of which type (modality, source) each sample is
  kOwnRows,        ///< a row of the bank for each sample
  kCounts,         ///< how often each sample was counted
  kIndex           ///< what the encoder made of all samples at once, anew from time to time
};

/// Samples that are mined for each sample whenever the bank was made anew, to be encoded in a step and met as
/// negatives.
struct Mining {
  /// Of each sample its so many nearest rows, its own left out,
  std::int64_t nearest = 0;
  /// of these so many at random,
  std::int64_t drawn = 0;
  /// and of those so many in each epoch, in turn.
  std::int64_t met = 0;
};

/// How a sampler acts on the negatives of a query.
enum class Effect { kScoreTransform, kMask, kIndexList, kVectors };

/// What --list-samplers prints.
struct SamplerDescription {
  std::string name;
  std::string paper;
  std::string summary;
  std::vector<Effect> effects;
  std::vector<MethodOption> options;
  std::vector<Need> needs{};
  /// Makes bank rows further positives, so it goes with objectives that know more than one.
  bool makes_positives = false;
  /// Why it does not go with an objective whose scale is learned, as one sentence, given its options; empty where it
  /// does. Without this function it always does.
  std::string (*refuses_learned_scale)(const MethodOptions& options) = nullptr;
  /// The same of a bank whose rows stay, and so lie in one batch.
  std::string (*refuses_one_batch)(const MethodOptions& options) = nullptr;
  /// Which of its options leave all rows of the bank out ("bank=off"), given them; empty where rows are met. Without
  /// this function they always are.
  std::string (*leaves_bank_out)(const MethodOptions& options) = nullptr;
  /// Whether it tells rows apart by the type of their samples, given its options; without this function only where it
  /// needs types.
  bool (*tells_types_apart)(const MethodOptions& options) = nullptr;
  /// How many slots it keeps for each sample, given its options; null for a sampler that keeps none.
  std::int64_t (*slots_of_sample)(const MethodOptions& options) = nullptr;
  /// What it mines, given its options; null for a sampler that mines nothing.
  Mining (*mines)(const MethodOptions& options) = nullptr;
  /// Why queries, keys and rows must be of unit length, as the end of a sentence; null where any length does
  /// (--head-output raw).
  const char* why_unit_rows = nullptr;
  /// Why scores must be inner products, given its options, and not squared distances (--head-output distance), as the
  /// end of a sentence; empty where either does. Without this function either does wherever any length does.
  std::string (*why_inner_products)(const MethodOptions& options) = nullptr;
};

struct SamplerArguments {
  MethodOptions options;
  /// What every sampler starts from: masks that the run asks for whatever the sampler.
  NegativeRequest base;
  std::uint64_t seed = 0;
  /// Of what a sampler makes or trains: d, and dtype and device.
  std::int64_t width = 0;
  /// K, for what is kept for each row of a bank whose rows stay.
  std::int64_t bank_rows = 0;
  at::TensorOptions tensors = at::kFloat;
  std::int64_t steps_per_epoch = 1;
  /// [samples] int64, the type of each sample from 0, below 0 for none; undefined when the data has no types.
  at::Tensor sample_types;
  /// [samples] int64, how often each sample was counted, at least 0; undefined when nobody counted.
  at::Tensor sample_counts;
};

const std::vector<SamplerDescription>& sampler_descriptions();
/// Throws std::invalid_argument for an unknown name, with the nearest known one.
const SamplerDescription& describe_sampler(const std::string& name);
std::unique_ptr<NegativeSampler> make_sampler(const std::string& name, const SamplerArguments& arguments);

/// The flag or data that supplies a need, in words for a message ("labels in the data").
std::string supplied_by(Need need);
std::string name_of(Need need);
std::string name_of(Effect effect);

}  // namespace negatron
