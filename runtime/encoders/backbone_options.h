#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/data/decoded_images.h"
#include "runtime/encoders/backbone.h"

namespace negatron {

/// Which network is pretrained: its name, and the flags that encoders share. What a flag means to an encoder, and which
/// it refuses, stands with the encoder.
struct BackboneOptions {
  /// A name of runtime/encoders/registry.cpp; options of this encoder alone stand behind a colon:
  /// "NAME:option=value,option=value".
  std::string name = "conv";
  /// "imagenet", for images of some 224 pixels a side, or "cifar", for images of some 32.
  std::string stem = "imagenet";
  /// "auto" (what the encoder is known with), "batch" or "group".
  std::string norm = "auto";
  /// Width of each stage.
  std::vector<std::int64_t> channels = {64, 128, 256};
  /// Stride of each stage.
  std::vector<std::int64_t> strides = {2, 2, 2};
  /// Groups of every group norm.
  std::int64_t groups = 8;
  /// Features are averaged over a grid of so many cells a side.
  std::int64_t pool_grid = 2;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// The network, not initialised, for views of so many channels and of that size, which some networks do not care about.
/// `comm`, which outlives it, is what batch norm is over. `options` are valid. Local. Throws std::invalid_argument when
/// the network cannot be made for these views.
std::shared_ptr<Backbone> make_backbone(const BackboneOptions& options, std::int64_t input_channels, Communicator* comm,
                                        const ImageSize& view_size = {});

}  // namespace negatron
