#pragma once

#include <cstdint>

#include "comm/communicator.h"
#include "runtime/data/augmentation.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/evaluation/equal_pauses.h"
#include "runtime/evaluation/features.h"

namespace negatron {

struct ViewEvaluationOptions {
  /// Images looked at: the first so many, at most all.
  std::int64_t count = 2000;
  /// Images per call of the encoder.
  std::int64_t batch = 500;
  std::uint64_t seed = 0;
  AugmentationOptions augmentation;
  /// What the encoder sees of a view.
  ViewFormat format;
  /// Between batches. May be empty.
  Pause pause{};
};

struct ViewQuality {
  double alignment = 0.0;
  double uniformity = 0.0;
};

/// Collective. Alignment of the two augmented views of each image, and uniformity of the first views (Wang and Isola
/// 2020; both lower is better). Views are drawn as in training, for epoch 0. Each rank computes its share() of them.
ViewQuality evaluate_views(Communicator& comm, const FeatureFunction& function, const ImageSource& images,
                           const ViewEvaluationOptions& options);

}  // namespace negatron
