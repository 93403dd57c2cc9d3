#include "runtime/run/exported_weights.h"

#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "runtime/data/normalization_text.h"
#include "runtime/run/saved_encoder.h"
#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/text/ini_text.h"

namespace negatron {
namespace {

/// Of a snapshot and of an exported file, in the order in which a name is looked for: the backbone, which has no prefix
/// there, is what none of the others is.
struct PrefixPair {
  std::string_view saved;
  std::string_view exported;
};
constexpr std::array<PrefixPair, 5> kPrefixes = {{{"key_encoder.head.", "key_encoder.projection_head."},
                                                  {"key_encoder.backbone.", "key_encoder."},
                                                  {"encoder.head.", "projection_head."},
                                                  {"predictor.", "predictor."},
                                                  {"encoder.backbone.", ""}}};

const PrefixPair& prefix_of(const std::string& name, std::string_view PrefixPair::*side) {
  for (const PrefixPair& pair : kPrefixes) {
    if (name.starts_with(pair.*side)) return pair;
  }
  throw std::logic_error("'" + name + "' belongs to no network of a run.");
}

bool is_wanted(const std::string& name, const ExportedParts& parts) {
  const bool is_key = name.starts_with("key_encoder.");
  const bool is_head = name.starts_with("predictor.") || name.find("encoder.head.") != std::string::npos;
  return (parts.key_encoder || !is_key) && (parts.head || !is_head);
}

void add_inputs(const ExportedRecipe& recipe, WeightsFacts& facts) {
  const std::string numbers = normalization_text(recipe.format.normalization);
  const std::size_t between = numbers.find(';');
  facts[kFactMean] = numbers.substr(0, between);
  facts[kFactDeviation] = numbers.substr(between + 1);
  facts[kFactChannels] = std::to_string(recipe.channels);
  facts[kFactHeight] = std::to_string(recipe.format.size.height);
  facts[kFactWidth] = std::to_string(recipe.format.size.width);
  facts["image_values"] = input_rule(recipe.format);
}

}  // namespace

std::string input_rule(const ViewFormat& format) {
  // Samples that are features are views of one pixel.
  if (format.size == ImageSize{1, 1}) return "(x - mean) / deviation of each feature";
  return "(byte / 255 - mean) / deviation of each channel; evaluation sees the whole image, resized to height x width, "
         "bilinear and antialiased";
}

std::string name_in_snapshots(const std::string& name) {
  const PrefixPair& pair = prefix_of(name, &PrefixPair::exported);
  return std::string(pair.saved) + name.substr(pair.exported.size());
}

NamedWeights exported_weights(const SavedEncoder& saved, const ExportedParts& parts) {
  if (parts.key_encoder && !saved.has_key_encoder()) {
    throw std::invalid_argument("--key: the " + saved.name +
                                " has no key encoder; its keys came from the query encoder (--negatives, --sampler).");
  }
  NamedWeights weights;
  for (const auto& [name, tensor] : saved.tensors) {
    if (!is_wanted(name, parts)) continue;
    const PrefixPair& pair = prefix_of(name, &PrefixPair::saved);
    weights.emplace_back(std::string(pair.exported) + name.substr(pair.saved.size()), tensor);
  }
  return weights;
}

WeightsFacts exported_facts(const SavedEncoder& saved, const ExportedRecipe& recipe) {
  WeightsFacts facts;
  // As other programs look for it.
  facts["format"] = "pt";
  facts["written_by"] = "negatron";
  const bool has_library = !recipe.library.name.empty();
  facts["loads_into"] = has_library ? recipe.library.name : "negatron only: no library has this network";
  if (has_library) facts["python"] = recipe.library.python;
  add_inputs(recipe, facts);
  if (saved.step) facts[kFactStep] = std::to_string(*saved.step);
  if (saved.bank) {
    facts["bank_rows"] = std::to_string(saved.bank->layout.capacity);
    facts["bank_width"] = std::to_string(saved.bank->width);
    facts["bank_dtype"] = dtype_text(saved.bank->dtype);
  }
  for (const char* name : {"encoder", "objective", "sampler", "tau"}) {
    const auto found = recipe.settings.find(name);
    if (found != recipe.settings.end()) facts[name] = found->second;
  }
  std::string& lines = facts[kFactSettings];
  for (const auto& [name, value] : recipe.settings) lines += name + " = " + ini_value(value) + "\n";
  return facts;
}

}  // namespace negatron
