#include "runtime/encoders/registry.h"

#include <deque>

#include "runtime/encoders/conv_encoder.h"
#include "runtime/encoders/mlp_encoder.h"
#include "runtime/encoders/named_choice.h"
#include "runtime/encoders/resnet.h"
#include "runtime/encoders/script_encoder.h"
#include "runtime/encoders/vision_transformer.h"

namespace negatron {
namespace {

constexpr char kBeforeOptions = ':';

/// One line an encoder, in the order of messages. A deque, because chosen entries are pointed to.
std::deque<BackboneEntry>& backbones() {
  static std::deque<BackboneEntry> all = {
      backbone_entry<ConvEncoder>(),
      backbone_entry<ResNetOf<18>>(),
      backbone_entry<ResNetOf<34>>(),
      backbone_entry<ResNetOf<50>>(),
      backbone_entry<ResNetOf<101>>(),
      backbone_entry<ResNetOf<50, 1, 128>>(),
      backbone_entry<ResNetOf<50, 32, 4>>(),
      backbone_entry<VitOf<VitSize::kTiny>>(),
      backbone_entry<VitOf<VitSize::kSmall>>(),
      backbone_entry<VitOf<VitSize::kBase>>(),
      backbone_entry<MlpEncoder>(),
      backbone_entry<ScriptEncoder>(),
  };
  return all;
}

const BackboneEntry& find_backbone(const std::string& name) {
  std::vector<std::string> known;
  for (const BackboneEntry& entry : backbones()) {
    if (entry.description.name == name) return entry;
    known.push_back(entry.description.name);
  }
  refuse_name("--encoder", name, known);
}

}  // namespace

ChosenBackbone choose_backbone(const BackboneOptions& flags) {
  const std::size_t colon = flags.name.find(kBeforeOptions);
  const std::string name = flags.name.substr(0, colon);
  const std::string behind = colon == std::string::npos ? "" : flags.name.substr(colon + 1);
  ChosenBackbone chosen;
  chosen.entry = &find_backbone(name);
  chosen.arguments.flags = flags;
  if (chosen.entry->description.takes_file) {
    if (behind.empty()) throw std::invalid_argument("--encoder " + name + " needs a file: " + name + ":PATH.");
    chosen.arguments.file = behind;
  } else {
    chosen.arguments.options = MethodOptions("--encoder " + name, chosen.entry->description.options, behind);
  }
  return chosen;
}

LibraryNetwork library_network(const BackboneOptions& flags, std::int64_t input_channels, const ImageSize& view_size) {
  ChosenBackbone chosen = choose_backbone(flags);
  if (chosen.entry->in_library == nullptr) return {};
  chosen.arguments.input_channels = input_channels;
  chosen.arguments.view_size = view_size;
  return chosen.entry->in_library(chosen.arguments);
}

std::vector<std::string> backbone_list() {
  std::vector<std::string> names;
  for (const BackboneEntry& entry : backbones()) {
    names.push_back(entry.description.name + (entry.description.takes_file ? std::string(1, kBeforeOptions) : ""));
  }
  return names;
}

std::string backbone_names() {
  std::string text, family;
  for (const BackboneEntry& entry : backbones()) {
    const BackboneDescription& one = entry.description;
    const bool goes_on = !family.empty() && one.family == family;
    if (!text.empty()) text += goes_on ? ", " : ", or ";
    if (!goes_on && !one.family.empty()) text += one.family + ": ";
    text += one.name + (one.takes_file ? ":PATH" : "");
    family = one.family;
  }
  return text;
}

AddedBackbone::AddedBackbone(const BackboneEntry& entry) {
  backbones().push_back(entry);
}

AddedBackbone::~AddedBackbone() {
  backbones().pop_back();
}

}  // namespace negatron
