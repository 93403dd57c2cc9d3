#include "runtime/run/saved_encoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "runtime/data/normalization_text.h"
#include "runtime/run/exported_weights.h"
#include "runtime/snapshots/load_snapshot.h"

namespace negatron {
namespace {

/// What of a snapshot's tensors are networks; the optimizer's memory and the sampler's are not.
constexpr std::array<std::string_view, 3> kNetworks = {"encoder.", "predictor.", "key_encoder."};

bool is_of_network(const std::string& name) {
  return std::any_of(kNetworks.begin(), kNetworks.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string fact(const WeightsFacts& facts, const char* name) {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string() : found->second;
}

/// A count that the file says; 0 where it does not.
std::int64_t count_in(const WeightsFacts& facts, const char* name) {
  const std::string text = fact(facts, name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

SavedInputs inputs_in(const WeightsFacts& facts, const std::string& name) {
  SavedInputs inputs;
  inputs.config = fact(facts, kFactSettings);
  inputs.channels = count_in(facts, kFactChannels);
  inputs.view_size = {count_in(facts, kFactHeight), count_in(facts, kFactWidth)};
  const std::string mean = fact(facts, kFactMean), deviation = fact(facts, kFactDeviation);
  if (mean.empty() || deviation.empty()) return inputs;
  try {
    inputs.normalization = parse_normalization(mean + ";" + deviation);
  } catch (const std::invalid_argument&) {
    throw WeightsError(name + " says that inputs have the mean '" + mean + "' and the deviation '" + deviation +
                       "', which are no numbers that fit each other.");
  }
  return inputs;
}

}  // namespace

bool SavedEncoder::has(const std::string& prefix) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const auto& tensor) { return tensor.first.starts_with(prefix); });
}

std::int64_t SavedEncoder::channels() const {
  if (inputs.channels > 0) return inputs.channels;
  constexpr std::array<std::string_view, 2> kFirstLayers = {"encoder.backbone.conv1.weight",
                                                            "encoder.backbone.patch_embed.proj.weight"};
  for (const auto& [tensor_name, tensor] : tensors) {
    const bool is_first = std::find(kFirstLayers.begin(), kFirstLayers.end(), tensor_name) != kFirstLayers.end();
    if (is_first && tensor.dim() == 4) return tensor.size(1);
  }
  return 0;
}

SavedEncoder read_saved_encoder(const Snapshot& snapshot) {
  const TrainerState state = load_trainer(snapshot);
  SavedEncoder saved;
  saved.name = "snapshot '" + snapshot.path.string() + "'";
  saved.inputs = saved_inputs(state, "The " + saved.name);
  saved.step = snapshot.manifest.step;
  if (!snapshot.manifest.banks.empty()) saved.bank = snapshot.manifest.banks.front();
  for (const auto& [name, tensor] : state.tensors) {
    if (is_of_network(name)) saved.tensors.emplace_back(name, tensor);
  }
  return saved;
}

SavedEncoder read_encoder_file(const std::filesystem::path& file) {
  const WeightsFacts facts = read_weights_facts(file);
  SavedEncoder saved;
  saved.name = "'" + file.string() + "'";
  saved.inputs = inputs_in(facts, saved.name);
  if (facts.contains(kFactStep)) saved.step = count_in(facts, kFactStep);
  // Names of other files mean what they say: the network is found among them when it is made.
  const bool is_exported = !saved.inputs.config.empty();
  for (const auto& [name, tensor] : read_saved_weights(file)) {
    saved.tensors.emplace_back(is_exported ? name_in_snapshots(name) : name, tensor);
  }
  return saved;
}

}  // namespace negatron
