#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "runtime/encoders/conv_encoder.h"

namespace negatron {

/// Which network is pretrained.
struct BackboneOptions {
  /// "conv", "resnet18", "resnet34" or "resnet50".
  std::string name = "conv";
  /// Of a ResNet: "imagenet" or "cifar".
  std::string stem = "imagenet";
  /// "auto", "batch" or "group"; auto is batch for a ResNet, as torchvision's, and group for conv.
  std::string norm = "auto";
  /// The shape of "conv"; its groups are those of every encoder with group norm. Its input channels are the images'.
  ConvEncoderOptions conv = {};

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// The network, not initialised. `comm`, which outlives it, is what batch norm is over. `options` are valid. Local.
std::shared_ptr<Backbone> make_backbone(const BackboneOptions& options, std::int64_t input_channels,
                                        Communicator* comm);

}  // namespace negatron
