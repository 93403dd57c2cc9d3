#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/encoders/momentum_encoder.h"

namespace negatron {

/// Who makes the keys of a run.
enum class KeyMaker {
  /// An encoder that follows the query encoder, without gradient (MoCo).
  kMomentumEncoder,
  /// The query encoder, which is trained by both.
  kQueryEncoder,
  /// No encoder: keys are rows that are there already, or nobody asks for keys.
  kNobody
};

/// Which networks make the queries and the keys of a run.
struct EncoderPairOptions {
  BackboneOptions backbone;
  /// Channels of the images, and size of the views.
  std::int64_t input_channels = 1;
  ImageSize view_size{};
  ProjectionHeadOptions head;
  /// Hidden width of the predictor, a second head that only queries pass (BYOL; Grill et al., 2020), with norm and
  /// output of the first one; 0 for none.
  std::int64_t predictor_hidden = 0;
  KeyMaker keys = KeyMaker::kMomentumEncoder;
  /// Weights are drawn from it, the same on every rank.
  std::uint64_t seed = 0;
};

/// Query encoder and key encoder of a run, on one device, in one precision. Rows are unit rows, or raw ones where the
/// head's options say so. Images are [b, C, H, W] float, normalised, on any device. What makes rows is collective where
/// the heads or the backbone have batch norms over all ranks, and local without any.
class EncoderPair {
 public:
  /// `comm` is what batch norms are over; it outlives the pair. `options` are valid. Local.
  EncoderPair(const EncoderPairOptions& options, const ComputePlace& place, Communicator& comm);

  /// Queries [b, d] of one view, rows with gradient, behind the predictor if there is one.
  at::Tensor query(const at::Tensor& view);
  /// Keys [b, d] of one view, rows without gradient. Only where has_momentum_encoder().
  at::Tensor key(const at::Tensor& view);
  /// Rows [V b, d] of V views of b images each, view by view: with gradient, by the query encoder in one
  /// batch of V b images. Only where makes_both().
  at::Tensor together(const std::vector<at::Tensor>& views);
  /// The momentum encoder takes one step towards the query encoder, `momentum` in [0, 1]; without one, nothing. Local.
  void follow(double momentum);

  /// Features [b, F] of images, by running statistics, as evaluation uses them. Local.
  at::Tensor features(const at::Tensor& images);
  /// Rows [b, d] that the query encoder makes of images, by running statistics, without gradient. Local.
  at::Tensor embed(const at::Tensor& images);

  /// Images on the pair's device, in the type of its parameters.
  at::Tensor to_place(const at::Tensor& images) const;
  const ComputePlace& place() const noexcept { return place_; }

  bool has_momentum_encoder() const noexcept { return momentum_.has_value(); }
  /// Whether the query encoder makes the keys, too.
  bool makes_both() const noexcept { return makes_both_; }
  /// What features are made by, of the query encoder and, where has_momentum_encoder(), of the one that follows.
  Backbone& backbone() const { return query_->backbone(); }
  Backbone& key_backbone() const { return momentum_.value().encoder().backbone(); }
  /// The network that follows. Only where has_momentum_encoder().
  const ContrastiveEncoder& momentum_encoder() const { return momentum_.value().encoder(); }
  /// What the optimizer trains: a module with the children "encoder" and, if there is one, "predictor".
  const torch::nn::Module& trained() const noexcept { return trained_; }
  /// The parameters of trained(), in order of registration.
  std::vector<at::Tensor> parameters() const { return trained_.parameters(); }

 private:
  ComputePlace place_;
  std::shared_ptr<ContrastiveEncoder> query_;
  /// Null without.
  std::shared_ptr<ProjectionHead> predictor_;
  std::optional<MomentumEncoder> momentum_;
  bool makes_both_;
  torch::nn::Module trained_;
};

}  // namespace negatron
