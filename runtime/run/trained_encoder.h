#pragma once

#include <cstdint>
#include <memory>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/encoders/projection_head.h"
#include "runtime/run/saved_encoder.h"

namespace negatron {

/// Which network is wanted, for which inputs.
struct TrainedEncoderOptions {
  BackboneOptions backbone;
  std::int64_t channels = 1;
  ImageSize view_size{};
  /// The encoder that follows by momentum, and not the one of the queries.
  bool key_encoder = false;
  /// Of what the head gives, as the run had it.
  RowLength length = RowLength::kUnit;
};

/// An encoder that a run trained, as evaluation uses it: by running statistics, without gradient. Images are [b, C, H,
/// W] float, normalised, on any device. All ranks hold the same one, and rows depend on their images alone: every
/// function is local.
class TrainedEncoder {
 public:
  /// `comm`, which outlives it, is what batch norms were over. Throws WeightsError when the weights are not those of
  /// such a network, and std::invalid_argument when there cannot be one for these inputs.
  TrainedEncoder(const SavedEncoder& saved, const TrainedEncoderOptions& options, const ComputePlace& place,
                 Communicator& comm);

  /// Features [b, F], as EncoderPair::features gives them while the run trains.
  at::Tensor features(const at::Tensor& images);
  /// What the bank holds of such images: rows [b, d] behind the projection head. Only where has_head().
  at::Tensor embed(const at::Tensor& images);
  bool has_head() const noexcept { return head_ != nullptr; }

 private:
  at::Tensor to_place(const at::Tensor& images) const;

  ComputePlace place_;
  std::shared_ptr<Backbone> backbone_;
  /// Null where a file holds the backbone alone.
  std::shared_ptr<ProjectionHead> head_;
};

/// What a run computed in: fp64 where its weights are, else `asked`. Local.
Precision precision_of(const SavedEncoder& saved, Precision asked);

}  // namespace negatron
