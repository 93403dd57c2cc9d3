#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/evaluation/features.h"

namespace negatron {

/// Features of some consecutive images, on the host.
struct FeatureRound {
  at::Tensor rows;    // [m, D] fp32
  at::Tensor ids;     // [m] int64: the image that each row is of, another one where it was broken
  at::Tensor labels;  // [m] int64; -1 without
};

/// The features of all images of a source in their order, some at a time, so that they need not fit anywhere: each rank
/// computes its share() of a round, and all get all of it. The same rows on any number of ranks.
class FeatureRounds {
 public:
  struct Options {
    ViewFormat format;
    /// Images of a rank in a round.
    std::int64_t batch = 500;
    RowLength length = RowLength::kAsMade;
  };

  /// Everything outlives it. `comm` carries what `function` makes, `host` tensors of the host; they may be one.
  FeatureRounds(Communicator& host, Communicator& comm, FeatureFunction function, const ImageSource& images,
                const Options& options);

  bool done() const { return begin_ >= images_.size(); }
  /// The next images. Collective, and begins with together(): a rank that cannot go on may say so there, in its place.
  /// Throws FailedTogether on every rank. Not where it is done().
  FeatureRound next();

 private:
  Communicator& host_;
  Communicator& comm_;
  FeatureFunction function_;
  const ImageSource& images_;
  Options options_;
  std::int64_t begin_ = 0;
};

}  // namespace negatron
