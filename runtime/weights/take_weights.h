#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include "runtime/weights/saved_weights.h"

namespace negatron {

/// Which of the networks of a file is meant, where it holds several.
struct WeightsWanted {
  /// That of MoCo's encoder_k and the like, which follows another by momentum; otherwise that other one.
  bool momentum_copy = false;
  /// A first convolution over three channels becomes one over a single channel, which sees the same in a grey image:
  /// its kernels are added up.
  bool adapt_channels = false;
};

/// What went from a file into a network.
struct TakenWeights {
  /// In front of the network's names in the file: "module.encoder_q.".
  std::string prefix;
  std::int64_t taken = 0;
  std::int64_t wanted = 0;
  /// Names of the network that the file has not; counts of batches, which nothing is computed of, are not among them.
  std::vector<std::string> missing;
  /// Names of the file behind the prefix that the network has not, and how many others there are.
  std::vector<std::string> left_over;
  std::int64_t elsewhere = 0;

  /// One sentence, with the first few names.
  std::string text() const;
};

/// Copies `weights` into the parameters and buffers of `network` that have their names behind a common prefix, which is
/// found: the one under which the most names are there (of MoCo, DDP, "backbone.", ...). Types and devices are those of
/// the network. Local. Throws WeightsError, and changes nothing, when no name is there, or when a shape is another one;
/// the sentence begins with `file`.
TakenWeights take_weights(const std::string& file, const SavedWeights& weights, const WeightsWanted& wanted,
                          torch::nn::Module& network);

}  // namespace negatron
