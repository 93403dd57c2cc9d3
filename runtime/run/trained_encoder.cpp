#include "runtime/run/trained_encoder.h"

#include <algorithm>

#include "runtime/weights/take_weights.h"

namespace negatron {
namespace {

/// Takes all of a network's weights, or throws.
void take_all_weights(const SavedEncoder& saved, const SavedWeights& weights, bool key_encoder,
                      torch::nn::Module& network) {
  const TakenWeights taken = take_weights(saved.name, weights, {.momentum_copy = key_encoder}, network);
  if (taken.missing.empty()) return;
  throw WeightsError(saved.name + " has not all weights of the encoder (--encoder and its options): " + taken.text());
}

/// Null where there is none.
std::shared_ptr<ProjectionHead> head_in(const SavedWeights& weights, const TrainedEncoderOptions& wanted,
                                        std::int64_t features, Communicator& comm) {
  const std::string prefix = wanted.key_encoder ? "key_encoder.head." : "encoder.head.";
  const auto hidden = weights.find(prefix + "hidden.weight"), output = weights.find(prefix + "output.weight");
  if (hidden == weights.end() || output == weights.end()) return nullptr;
  ProjectionHeadOptions options;
  options.hidden = hidden->second.size(0);
  options.output = output->second.size(0);
  options.norm = weights.contains(prefix + "norm.weight") ? HeadNorm::kBatch : HeadNorm::kNone;
  options.length = wanted.length;
  return std::make_shared<ProjectionHead>(features, options, &comm);
}

/// Those behind a prefix: of two networks with the same names, one.
SavedWeights weights_behind(const SavedWeights& weights, const std::string& prefix) {
  SavedWeights some;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with(prefix)) some.emplace(name, tensor);
  }
  return some;
}

}  // namespace

TrainedEncoder::TrainedEncoder(const SavedEncoder& saved, const TrainedEncoderOptions& options,
                               const ComputePlace& place, Communicator& comm)
    : place_(place), backbone_(make_backbone(options.backbone, options.channels, &comm, options.view_size)) {
  const bool key = options.key_encoder;
  if (key && !saved.has_key_encoder()) throw WeightsError(saved.name + " has no key encoder.");
  const SavedWeights weights(saved.tensors.begin(), saved.tensors.end());
  const auto put_in_place = [&](torch::nn::Module& network) {
    network.to(place.device, parameter_dtype(place.precision));
    network.eval();
  };
  put_in_place(*backbone_);
  take_all_weights(saved, weights, key, *backbone_);
  head_ = head_in(weights, options, backbone_->feature_width(), comm);
  if (!head_) return;
  put_in_place(*head_);
  take_all_weights(saved, weights_behind(weights, key ? "key_encoder.head." : "encoder.head."), key, *head_);
}

at::Tensor TrainedEncoder::to_place(const at::Tensor& images) const {
  return images.to(place_.device, parameter_dtype(place_.precision));
}

at::Tensor TrainedEncoder::features(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  return backbone_->forward(to_place(images)).to(parameter_dtype(place_.precision));
}

at::Tensor TrainedEncoder::embed(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  return head_->forward(backbone_->forward(to_place(images)));
}

Precision precision_of(const SavedEncoder& saved, Precision asked) {
  const bool is_double = std::any_of(saved.tensors.begin(), saved.tensors.end(),
                                     [](const auto& tensor) { return tensor.second.scalar_type() == at::kDouble; });
  return is_double ? Precision::kFp64 : asked;
}

}  // namespace negatron
