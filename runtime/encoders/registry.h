#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/data/decoded_images.h"
#include "runtime/encoders/backbone.h"
#include "runtime/encoders/backbone_options.h"
#include "samplers/options/method_options.h"

namespace negatron {

/// What an encoder says of itself.
struct BackboneDescription {
  /// As --encoder takes it.
  std::string name;
  /// What several encoders have in common, for --help; empty for one that stands alone.
  std::string family{};
  /// Its own options: --encoder NAME:option=value,option=value.
  std::vector<MethodOption> options{};
  /// It is made of a file instead, and has no options: --encoder NAME:PATH.
  bool takes_file = false;
  /// Samples may be features, [b, F, 1, 1], and need not be images.
  bool takes_features = false;
};

/// What an encoder is made of.
struct BackboneArguments {
  /// The flags that encoders share; an encoder takes those that it understands, and refuses what contradicts it.
  BackboneOptions flags;
  /// Its own options.
  MethodOptions options;
  /// The file that it is made of; empty for an encoder without one.
  std::string file;
  /// Of the images.
  std::int64_t input_channels = 1;
  /// Of the views that it is trained on; zero while options are only checked.
  ImageSize view_size{};
  /// What batch norm is over; outlives the network. Null while options are only checked.
  Communicator* comm = nullptr;
};

/// The network of a Python library that has an encoder's names of parameters and buffers, so that its weights load
/// there.
struct LibraryNetwork {
  /// "torchvision.models.resnet18"; empty where there is none.
  std::string name{};
  /// Lines that make it as `model`, which gives the encoder's features.
  std::string python{};
};

/// One kind of encoder: how to check what it is asked for, and how to make it.
struct BackboneEntry {
  BackboneDescription description;
  /// Throws std::invalid_argument in a sentence that names the flag. Local.
  void (*check)(const BackboneArguments& arguments);
  /// Makes the network, not initialised, of arguments that were checked. Local.
  std::shared_ptr<Backbone> (*make)(const BackboneArguments& arguments);
  /// Of arguments that were checked; null for an encoder that no library has. Local.
  LibraryNetwork (*in_library)(const BackboneArguments& arguments) = nullptr;
};

/// Of a class of Backbone with static describe() and check(arguments), and a constructor that takes the arguments;
/// perhaps a static in_library(arguments).
template <typename Network>
BackboneEntry backbone_entry() {
  BackboneEntry entry{Network::describe(), &Network::check,
                      [](const BackboneArguments& arguments) -> std::shared_ptr<Backbone> {
                        return std::make_shared<Network>(arguments);
                      }};
  if constexpr (requires(const BackboneArguments& arguments) { Network::in_library(arguments); }) {
    entry.in_library = &Network::in_library;
  }
  return entry;
}

/// The encoder that the flags name, with its arguments read from them but for the images and the ranks. Throws
/// std::invalid_argument for an unknown name, with all that are known and the nearest, and for options that are wrong.
/// Local.
struct ChosenBackbone {
  const BackboneEntry* entry = nullptr;
  BackboneArguments arguments;
};
ChosenBackbone choose_backbone(const BackboneOptions& flags);

/// The same network for views of so many channels and of that size, in a Python library. Local. Throws as
/// choose_backbone().
LibraryNetwork library_network(const BackboneOptions& flags, std::int64_t input_channels, const ImageSize& view_size);

/// The names of all encoders, those that are made of a file with the colon before it. Local.
std::vector<std::string> backbone_list();
/// The same in words, for --help. Local.
std::string backbone_names();

/// An encoder that is known, behind the others, as long as this lives: how a test, or a program with encoders of its
/// own, brings them in. The last one that was added goes first. Not at the same time as other calls. Local.
class AddedBackbone {
 public:
  explicit AddedBackbone(const BackboneEntry& entry);
  ~AddedBackbone();
  AddedBackbone(const AddedBackbone&) = delete;
  AddedBackbone& operator=(const AddedBackbone&) = delete;
};

}  // namespace negatron
