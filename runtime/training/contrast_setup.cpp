#include "runtime/training/contrast_setup.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "comm/require.h"
#include "runtime/snapshots/bank_file.h"
#include "runtime/training/head_geometry.h"
#include "runtime/training/view_banks.h"
#include "samplers/contrast/batch_terms.h"

namespace negatron {
namespace {

std::string names_of(const std::vector<NegativeSource>& sources) {
  std::string text;
  for (const NegativeSource source : sources) text += (text.empty() ? "" : ", ") + std::string(name_of(source));
  return text;
}

NegativeSource resolve_source(const ObjectiveDescription& objective, std::optional<NegativeSource> asked) {
  const auto& allowed = objective.sources;
  const NegativeSource source = asked.value_or(allowed.front());
  require(std::find(allowed.begin(), allowed.end(), source) != allowed.end(),
          std::string("--negatives ") + name_of(source) + " does not go with --objective " + objective.name +
              ", which takes: " + names_of(allowed) + ".");
  return source;
}

/// What a sampler needs and has from the data only, or from nobody.
bool meets(Need need, const PretrainOptions& options, bool has_labels) {
  switch (need) {
    case Need::kLabels:
      return has_labels;
    case Need::kOracleConsent:
      return options.allow_oracle;
    case Need::kTypes:
      return !options.sample_types.empty();
    case Need::kCounts:
      return !options.sample_counts.empty();
    case Need::kOwnRows:
      return rows_have_samples(options.bank_kind);
    case Need::kIndex:
      return options.bank_kind == BankKind::kIndex;
  }
  return false;
}

void require_needs(const SamplerDescription& sampler, const PretrainOptions& options, bool has_labels) {
  for (const Need need : sampler.needs) {
    require(meets(need, options, has_labels), "--sampler " + sampler.name + " needs " + name_of(need) + ": " +
                                                  supplied_by(need) + ", or another --sampler.");
  }
}

/// How batch, bank and both directions go together with where the negatives come from.
void require_shares(const PretrainOptions& options, const ContrastSetup& setup) {
  require_view_banks(options, setup);
  require(!options.symmetric || setup.keys() != KeyMaker::kQueryEncoder,
          "--symmetric goes with a key encoder; here the query encoder makes both views of every sample.");
  require(!setup.has_bank() || rows_stay(options.bank_kind) || options.bank_rows >= options.global_batch,
          "--bank-rows " + std::to_string(options.bank_rows) + " is smaller than --global-batch " +
              std::to_string(options.global_batch) + ": a step would push out its own keys.");
  require(setup.source != NegativeSource::kBatch || options.global_batch >= 2,
          "--negatives batch needs --global-batch of at least 2: the negatives are the batch.");
}

/// What rows that are positives ask of the rest.
void require_positives(const PretrainOptions& options, const ContrastSetup& setup, const std::string& flag) {
  require(setup.source == NegativeSource::kBank, flag + " goes with --negatives bank, not with " +
                                                     name_of(setup.source) +
                                                     ": rows of the batch's samples are in the bank already.");
  require(!options.symmetric, flag + " has no key encoder, which --symmetric needs" +
                                  (setup.has_memory() ? "; --bank-per-view contrasts both views." : "."));
  require(options.mask_own_sample, flag +
                                       " has the positive of a query in its own sample's row, which cannot be a "
                                       "negative as well; leave --mask-own-sample on.");
}

/// What rows that learn ask of the rest: they have neither label nor type.
void require_learning(const PretrainOptions& options, const ContrastSetup& setup, const std::string& flag) {
  require(setup.has_bank(), flag + " goes with --negatives bank or bank-and-batch, not with " + name_of(setup.source) +
                                ": its rows are the negatives.");
  require(options.max_key_age == 0, flag + " has rows that are trained and do not age; leave --max-key-age out.");
  require(!setup.objective.needs_labels, flag + " has rows without labels, by which --objective " +
                                             setup.objective.name + " finds its positives; choose another objective.");
  const SamplerDescription& sampler = setup.sampler;
  const auto needs = [&](Need need) {
    return std::find(sampler.needs.begin(), sampler.needs.end(), need) != sampler.needs.end();
  };
  const std::string left_out =
      sampler.leaves_bank_out != nullptr ? sampler.leaves_bank_out(setup.sampler_options) : std::string();
  require(left_out.empty(), flag + " trains its rows by the queries that meet them, and with --sampler " +
                                sampler.name + " and " + left_out + " none does.");
  const bool by_types = sampler.tells_types_apart != nullptr && sampler.tells_types_apart(setup.sampler_options);
  require(!needs(Need::kLabels) && !needs(Need::kTypes) && !by_types,
          flag + " has rows without labels and types, by which --sampler " + sampler.name +
              " tells them apart; choose another sampler or other options.");
}

/// What rows that follow the loss ask of it.
void require_followed(const PretrainOptions& options, const Objective& objective) {
  if (options.bank_kind != BankKind::kParametric || options.precision == Precision::kFp64) return;
  Anchors nobody;
  nobody.vectors = nobody.partners = at::zeros({0, options.width_of_rows()});
  nobody.positive = at::zeros({0});
  for (const ObjectiveTerm& term : objective.terms(nobody)) {
    require(!is_sharp({term.term}),
            "--bank-kind parametric trains each row by its share in the loss, and --objective " + options.objective +
                " with these options takes the nearest negative alone, which fp32 cannot tell from the next; choose "
                "other options, another objective, or --precision fp64.");
  }
}

/// What an index asks of the rest.
void require_index(const PretrainOptions& options, const ContrastSetup& setup) {
  const std::string flag = "--bank-kind index";
  require(setup.has_bank(), flag + " goes with --negatives bank or bank-and-batch, not with " + name_of(setup.source) +
                                ": nothing would meet its rows.");
  require(options.mask_own_sample, flag +
                                       " has a row of the query's own sample, which would be a negative in every "
                                       "step; leave --mask-own-sample on.");
  require(
      options.bank_fill == BankFill::kRandom,
      flag + " is made of what the encoder makes of all samples, before the first step, too; leave --bank-fill out.");
  require(options.max_key_age == 0,
          flag + " has rows of one age, that of its last refresh; leave --max-key-age out, or see --refresh-every.");
}

/// What rows that stay ask of the rest.
void require_rows_that_stay(const PretrainOptions& options, const ContrastSetup& setup) {
  require(options.bank_fill != BankFill::kEmpty,
          "--bank-kind " + kind_text(options.bank_kind) +
              " has all its rows from the start; --bank-fill is random or features.");
  if (setup.sampler.refuses_one_batch == nullptr) return;
  const std::string reason = setup.sampler.refuses_one_batch(setup.sampler_options);
  require(reason.empty(), reason);
}

TemperatureOptions temperature_options(const PretrainOptions& options, at::ScalarType dtype, at::Device device) {
  return {options.tau, options.learn_tau, dtype, device};
}

ObjectiveArguments objective_arguments(const PretrainOptions& options, const ContrastSetup& setup, at::ScalarType dtype,
                                       at::Device device) {
  return {temperature_options(options, dtype, device), setup.objective_options,
          setup.has_bank() ? options.bank_rows : 0};
}

/// Before anything is made for it, a sampler is tried in fp32 on the host.
SamplerArguments sampler_arguments(const PretrainOptions& options, const ContrastSetup& setup,
                                   std::int64_t steps_per_epoch, const SampleFacts& facts,
                                   at::TensorOptions tensors = at::kFloat) {
  SamplerArguments arguments;
  arguments.width = options.width_of_rows();
  arguments.bank_rows = options.bank_rows;
  arguments.tensors = tensors;
  arguments.sample_types = facts.types;
  arguments.sample_counts = facts.counts;
  arguments.options = setup.sampler_options;
  arguments.base.exclude_own_sample = setup.masks_own_sample(options);
  arguments.base.max_age = options.max_key_age;
  arguments.seed = options.seed;
  arguments.steps_per_epoch = steps_per_epoch;
  return arguments;
}

}  // namespace

ContrastSetup resolve_contrast(const PretrainOptions& options) {
  ContrastSetup setup;
  setup.objective = describe_objective(options.objective);
  setup.objective_options =
      MethodOptions("--objective " + options.objective, setup.objective.options, options.objective_options);
  setup.source = resolve_source(setup.objective, options.negatives);
  setup.bank_kind = options.bank_kind;
  setup.sampler = describe_sampler(options.sampler);
  setup.sampler_options = MethodOptions("--sampler " + options.sampler, setup.sampler.options, options.sampler_options);
  require(setup.has_bank() || options.sampler == PretrainOptions{}.sampler,
          "--sampler " + options.sampler + " picks from a bank, but --objective " + options.objective +
              " with --negatives " + name_of(setup.source) + " has none.");
  // Whether the data have labels is not known yet.
  require_needs(setup.sampler, options, /*has_labels=*/true);
  require(!setup.sampler.makes_positives || setup.objective.needs_labels,
          "--sampler " + options.sampler + " makes further positives, which --objective " + options.objective +
              " does not use; --objective supcon does.");
  // Constructed once, so that options which exclude each other are refused before anything is made.
  const auto objective = make_objective(options.objective, objective_arguments(options, setup, at::kFloat, at::kCPU));
  // A sampler of what is known of each sample is constructed when that is there.
  if (options.sample_types.empty() && options.sample_counts.empty())
    make_sampler(options.sampler, sampler_arguments(options, setup, 1, {}));
  if (setup.sampler.refuses_learned_scale != nullptr && !objective->parameters().empty()) {
    const std::string reason = setup.sampler.refuses_learned_scale(setup.sampler_options);
    require(reason.empty(), reason);
  }
  require_shares(options, setup);
  const std::string flag = "--bank-kind " + kind_text(options.bank_kind);
  require_head_geometry(options, setup);
  if (rows_are_positives(options.bank_kind)) require_positives(options, setup, flag);
  if (rows_learn(options.bank_kind)) require_learning(options, setup, flag);
  require_followed(options, *objective);
  if (options.bank_kind == BankKind::kIndex) require_index(options, setup);
  if (rows_stay(options.bank_kind)) {
    require_rows_that_stay(options, setup);
  } else {
    require(options.bank_fill != BankFill::kFeatures,
            "--bank-fill features is for rows that stay; keys push those of --bank-kind queue out. memory, learned and "
            "parametric have such rows.");
  }
  return setup;
}

void require_data(const PretrainOptions& options, const ContrastSetup& setup, const SampleFacts& facts,
                  bool has_labels) {
  require_needs(setup.sampler, options, has_labels);
  require(!setup.objective.needs_labels || has_labels, "--objective " + options.objective + " needs labels: " +
                                                           supplied_by(Need::kLabels) + ", or another --objective.");
  require(options.batch_identities == 0 || has_labels,
          "--batch-identities makes batches by label and needs labels: " + supplied_by(Need::kLabels) + ".");
  if (!facts.types.defined() && !facts.counts.defined()) return;
  make_sampler(options.sampler, sampler_arguments(options, setup, 1, facts));
}

void require_samples_to_mine(const ContrastSetup& setup, std::int64_t samples) {
  const std::optional<Mining> mining = setup.mining();
  require(!mining || mining->drawn < samples, "--sampler " + setup.sampler.name + " draws " +
                                                  std::to_string(mining ? mining->drawn : 0) +
                                                  " other samples for each, and the data have " +
                                                  std::to_string(samples) + ": ask for fewer in --sampler-options.");
}

std::unique_ptr<ContrastiveLoss> make_contrastive_loss(const PretrainOptions& options, const ContrastSetup& setup,
                                                       at::ScalarType dtype, at::Device device,
                                                       std::int64_t steps_per_epoch, const SampleFacts& facts) {
  std::unique_ptr<NegativeSampler> sampler;
  if (setup.has_bank()) {
    sampler = make_sampler(options.sampler, sampler_arguments(options, setup, steps_per_epoch, facts,
                                                              at::TensorOptions(dtype).device(device)));
  }
  auto loss = std::make_unique<ContrastiveLoss>(
      setup.objective, setup.source,
      make_objective(options.objective, objective_arguments(options, setup, dtype, device)), std::move(sampler));
  loss->exchange().use(options.cpu_isa);
  loss->exchange().set_side_threads(static_cast<int>(std::max<std::int64_t>(options.bank_threads, 0)));
  return loss;
}

std::vector<std::string> contrast_warnings(const PretrainOptions& options, const ContrastSetup& setup) {
  const auto objective = make_objective(options.objective, objective_arguments(options, setup, at::kFloat, at::kCPU));
  std::vector<std::string> warnings = objective->warnings(options.head.output);
  if (setup.has_rows_as_positives() && options.bank_fill == BankFill::kRandom) {
    warnings.emplace_back("--bank-kind " + kind_text(options.bank_kind) +
                          " with --bank-fill random: in the first epoch every positive is a random row, with which an "
                          "encoder may collapse; --bank-fill features begins with what it makes of each sample.");
  }
  for (std::string& warning : head_geometry_warnings(options, setup)) warnings.push_back(std::move(warning));
  if (options.batch_order == BatchOrder::kSimilar && options.epochs == 1) {
    warnings.emplace_back(
        "--batch-order similar with --epochs 1 is a random order: the share of a batch that is chosen for being alike "
        "grows from 0 in the first epoch.");
  }
  return warnings;
}

}  // namespace negatron
