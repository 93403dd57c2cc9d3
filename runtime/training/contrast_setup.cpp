#include "runtime/training/contrast_setup.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {
namespace {

constexpr NegativeSource kSources[] = {NegativeSource::kBank, NegativeSource::kBatch, NegativeSource::kBankAndBatch,
                                       NegativeSource::kNone};

std::string names_of(const std::vector<NegativeSource>& sources) {
  std::string text;
  for (const NegativeSource source : sources) text += (text.empty() ? "" : ", ") + std::string(name_of(source));
  return text;
}

NegativeSource resolve_source(const ObjectiveDescription& objective, const std::string& asked) {
  if (asked == "auto") return objective.sources.front();
  for (const NegativeSource source : kSources) {
    if (asked != name_of(source)) continue;
    const auto& allowed = objective.sources;
    if (std::find(allowed.begin(), allowed.end(), source) == allowed.end()) {
      throw std::invalid_argument("--negatives " + asked + " does not go with --objective " + objective.name +
                                  ", which takes: " + names_of(allowed) + ".");
    }
    return source;
  }
  throw std::invalid_argument("--negatives is '" + asked +
                              "', expected one of: auto, bank, batch, bank-and-batch, none.");
}

void check_needs(const SamplerDescription& sampler, const PretrainOptions& options, bool has_labels) {
  for (const Need need : sampler.needs) {
    if (need == Need::kLabels && has_labels) continue;
    if (need == Need::kOracleConsent && options.allow_oracle) continue;
    if (need == Need::kTypes && !options.sample_types.empty()) continue;
    throw std::invalid_argument("--sampler " + sampler.name + " needs " + name_of(need) + ": " + supplied_by(need) +
                                ", or another --sampler.");
  }
}

TemperatureOptions temperature_options(const PretrainOptions& options, at::ScalarType dtype, at::Device device) {
  return {options.tau, options.learn_tau, dtype, device};
}

ObjectiveArguments objective_arguments(const PretrainOptions& options, const ContrastSetup& setup, at::ScalarType dtype,
                                       at::Device device) {
  return {temperature_options(options, dtype, device), setup.objective_options,
          setup.has_bank() ? options.bank_rows : 0};
}

SamplerArguments sampler_arguments(const PretrainOptions& options, const ContrastSetup& setup,
                                   std::int64_t steps_per_epoch, const at::Tensor& sample_types) {
  SamplerArguments arguments;
  arguments.sample_types = sample_types;
  arguments.options = setup.sampler_options;
  arguments.base.exclude_own_sample = options.mask_own_sample;
  arguments.base.max_age = options.max_key_age;
  arguments.seed = options.seed;
  arguments.steps_per_epoch = steps_per_epoch;
  return arguments;
}

}  // namespace

ContrastSetup resolve_contrast(const PretrainOptions& options, const at::Tensor& sample_types, bool has_labels) {
  ContrastSetup setup;
  setup.objective = describe_objective(options.objective);
  setup.objective_options =
      MethodOptions("--objective " + options.objective, setup.objective.options, options.objective_options);
  setup.source = resolve_source(setup.objective, options.negatives);
  setup.sampler = describe_sampler(options.sampler);
  setup.sampler_options = MethodOptions("--sampler " + options.sampler, setup.sampler.options, options.sampler_options);
  if (!setup.has_bank() && options.sampler != PretrainOptions{}.sampler) {
    throw std::invalid_argument("--sampler " + options.sampler + " picks from a bank, but --objective " +
                                options.objective + " with --negatives " + name_of(setup.source) + " has none.");
  }
  check_needs(setup.sampler, options, has_labels);
  if (setup.objective.needs_labels && !has_labels) {
    throw std::invalid_argument("--objective " + options.objective + " needs labels: " + supplied_by(Need::kLabels) +
                                ", or another --objective.");
  }
  if (setup.sampler.makes_positives && !setup.objective.needs_labels) {
    throw std::invalid_argument("--sampler " + options.sampler + " makes further positives, which --objective " +
                                options.objective + " does not use; --objective supcon does.");
  }
  // Constructed once, so that options which exclude each other are refused before anything is made.
  const auto objective = make_objective(options.objective, objective_arguments(options, setup, at::kFloat, at::kCPU));
  if (options.sample_types.empty() || sample_types.defined()) {
    // A sampler that needs types which are named but not loaded yet is constructed later, when they are there.
    make_sampler(options.sampler, sampler_arguments(options, setup, 1, sample_types));
  }
  if (setup.sampler.refuses_learned_scale != nullptr && !objective->parameters().empty()) {
    const std::string reason = setup.sampler.refuses_learned_scale(setup.sampler_options);
    if (!reason.empty()) throw std::invalid_argument(reason);
  }
  return setup;
}

std::unique_ptr<ContrastiveLoss> make_contrastive_loss(const PretrainOptions& options, const ContrastSetup& setup,
                                                       at::ScalarType dtype, at::Device device,
                                                       std::int64_t steps_per_epoch, const at::Tensor& sample_types) {
  std::unique_ptr<NegativeSampler> sampler;
  if (setup.has_bank()) {
    sampler = make_sampler(options.sampler, sampler_arguments(options, setup, steps_per_epoch, sample_types));
  }
  auto loss = std::make_unique<ContrastiveLoss>(
      describe_objective(options.objective), setup.source,
      make_objective(options.objective, objective_arguments(options, setup, dtype, device)), std::move(sampler));
  loss->exchange().use(parse_cpu_isa(options.cpu_isa));
  loss->exchange().set_side_threads(static_cast<int>(std::max<std::int64_t>(options.bank_threads, 0)));
  return loss;
}

std::vector<std::string> contrast_warnings(const PretrainOptions& options) {
  const ContrastSetup setup = resolve_contrast(options);
  return make_objective(options.objective, objective_arguments(options, setup, at::kFloat, at::kCPU))
      ->warnings(options.head.output);
}

}  // namespace negatron
