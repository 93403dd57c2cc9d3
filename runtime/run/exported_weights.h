#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/data/view_format.h"
#include "runtime/encoders/registry.h"
#include "runtime/weights/named_weights.h"

namespace negatron {

struct SavedEncoder;

/// Facts of an exported file that are read back.
inline constexpr const char* kFactSettings = "settings";
inline constexpr const char* kFactMean = "image_mean";
inline constexpr const char* kFactDeviation = "image_deviation";
inline constexpr const char* kFactChannels = "image_channels";
inline constexpr const char* kFactHeight = "image_height";
inline constexpr const char* kFactWidth = "image_width";
inline constexpr const char* kFactStep = "step";

/// What goes along with the backbone.
struct ExportedParts {
  /// Projection head, and predictor if there is one.
  bool head = false;
  /// The encoder that follows by momentum; with `head` also its head.
  bool key_encoder = false;
};

/// The weights of a run as other programs take them. The backbone of the query encoder has its own names, which are
/// torchvision's or timm's, without a prefix; what else is wanted stands behind "projection_head.", "predictor." and
/// "key_encoder.", where --init and --init-key find it. Local. Throws std::invalid_argument when the run has no key
/// encoder.
NamedWeights exported_weights(const SavedEncoder& saved, const ExportedParts& parts);

/// What a snapshot calls the tensor that exported_weights() calls `name`. Local.
std::string name_in_snapshots(const std::string& name);

/// What an encoder was made of, beside its weights.
struct ExportedRecipe {
  /// Where its weights load.
  LibraryNetwork library;
  std::int64_t channels = 0;
  ViewFormat format;
  /// Settings of the run by name: those of its networks, its bank and its loss.
  std::map<std::string, std::string> settings;
};

/// How the inputs of such a format are made, in words. Local.
std::string input_rule(const ViewFormat& format);

/// What an exported file says of its weights: which network of which library they load into and how that is made, how
/// inputs are made, and what it was trained with. Local.
WeightsFacts exported_facts(const SavedEncoder& saved, const ExportedRecipe& recipe);

}  // namespace negatron
