#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/evaluation/features.h"
#include "runtime/evaluation/linear_probe.h"

namespace negatron {

/// How features are judged.
struct ScoreOptions {
  KnnEvaluationOptions knn;
  /// Nothing for no probe. Its classes are taken from the labels.
  std::optional<LinearProbeOptions> probe;
};

/// What features are worth, 0 to 1; the same on every rank.
struct FeatureScore {
  /// D
  std::int64_t width = 0;
  double knn = 0.0;
  /// NaN without one.
  double probe = std::numeric_limits<double>::quiet_NaN();
  double probe_l2 = std::numeric_limits<double>::quiet_NaN();
};

/// Collective. Computes the features of both sets once, each rank those of its share(), and classifies the test images
/// by them: evaluate_knn(), to the last bit, and linear_probe(). Throws as those.
FeatureScore score_features(Communicator& comm, const FeatureFunction& function, const ImageSource& train,
                            const ImageSource& test, const ScoreOptions& options);

}  // namespace negatron
