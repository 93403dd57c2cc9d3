#include "runtime/encoders/encoder_pair.h"

#include "runtime/encoders/evaluation_mode.h"
#include "runtime/encoders/initialization.h"

namespace negatron {
namespace {

std::shared_ptr<ContrastiveEncoder> make_query_encoder(const EncoderPairOptions& options, const ComputePlace& place,
                                                       Communicator& comm) {
  auto encoder = std::make_shared<ContrastiveEncoder>(
      make_backbone(options.backbone, options.input_channels, &comm, options.view_size), options.head, &comm);
  initialize(*encoder, options.seed);
  encoder->to(place.device, parameter_dtype(place.precision));
  return encoder;
}

std::shared_ptr<ProjectionHead> make_predictor(const EncoderPairOptions& options, const ComputePlace& place,
                                               Communicator& comm) {
  ProjectionHeadOptions shape = options.head;
  shape.hidden = options.predictor_hidden;
  auto predictor = std::make_shared<ProjectionHead>(options.head.output, shape, &comm);
  // Another stream than the encoder's, whose first layers would hold the same numbers.
  initialize(*predictor, options.seed + 1);
  predictor->to(place.device, parameter_dtype(place.precision));
  return predictor;
}

}  // namespace

EncoderPair::EncoderPair(const EncoderPairOptions& options, const ComputePlace& place, Communicator& comm)
    : place_(place),
      query_(make_query_encoder(options, place, comm)),
      makes_both_(options.keys == KeyMaker::kQueryEncoder) {
  trained_.register_module("encoder", query_);
  if (options.predictor_hidden > 0) {
    predictor_ = make_predictor(options, place, comm);
    trained_.register_module("predictor", predictor_);
  }
  if (options.keys == KeyMaker::kMomentumEncoder) momentum_.emplace(query_);
}

at::Tensor EncoderPair::query(const at::Tensor& view) {
  const PrecisionGuard precision(place_.precision, place_.device.type());
  const at::Tensor rows = query_->forward(to_place(view));
  return predictor_ ? predictor_->forward(rows) : rows;
}

at::Tensor EncoderPair::key(const at::Tensor& view) {
  // A guard of its own: weights that autocast converted here take no gradient, and must not be met by a query.
  const PrecisionGuard precision(place_.precision, place_.device.type());
  return momentum_.value().forward(to_place(view));
}

at::Tensor EncoderPair::together(const std::vector<at::Tensor>& views) {
  const PrecisionGuard precision(place_.precision, place_.device.type());
  std::vector<at::Tensor> placed;
  for (const at::Tensor& view : views) placed.push_back(to_place(view));
  return query_->forward(at::cat(placed));
}

void EncoderPair::follow(double momentum) {
  if (momentum_) momentum_->follow(momentum);
}

at::Tensor EncoderPair::features(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  const EvaluationMode evaluation(*query_);
  return query_->features(to_place(images));
}

at::Tensor EncoderPair::embed(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  const EvaluationMode evaluation(*query_);
  return query_->forward(to_place(images));
}

at::Tensor EncoderPair::to_place(const at::Tensor& images) const {
  return images.to(place_.device, parameter_dtype(place_.precision), /*non_blocking=*/true);
}

}  // namespace negatron
