#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "runtime/evaluation/score_features.h"

namespace negatron {

/// One line of `negatron evaluate`.
struct EvaluatedSubject {
  /// "raw pixels", "random weights", "trained"
  std::string name;
  FeatureScore score;
  /// Images of each part, where they were not all; 0 for all.
  std::int64_t most = 0;
};

/// What `negatron evaluate` found.
struct EvaluateReport {
  /// "snapshot 'PATH'" or "'FILE'"
  std::string encoder;
  std::optional<std::int64_t> step;
  std::string data;
  std::int64_t train_images = 0;
  std::int64_t test_images = 0;
  std::int64_t classes = 0;
  std::int64_t knn_k = 0;
  std::vector<EvaluatedSubject> subjects;
};

void print_report(std::ostream& out, const EvaluateReport& report);
/// The same as one JSON object; what was not measured is null.
void print_report_json(std::ostream& out, const EvaluateReport& report);

}  // namespace negatron
