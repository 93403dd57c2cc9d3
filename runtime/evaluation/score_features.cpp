#include "runtime/evaluation/score_features.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {

FeatureScore score_features(Communicator& comm, const FeatureFunction& function, const ImageSource& train,
                            const ImageSource& test, const ScoreOptions& options) {
  options.knn.validate();
  if (!train.has_labels() || !test.has_labels()) throw std::invalid_argument("Features are judged by labels.");
  const at::Tensor index = evaluated_images(train, EvaluatedSet::kIndex, options.knn);
  const at::Tensor queries = evaluated_images(test, EvaluatedSet::kQueries, options.knn);
  const LabelledRows own = own_rows(comm, function, train, index, options.knn, RowLength::kAsMade);
  const LabelledRows asked = own_rows(comm, function, test, queries, options.knn, RowLength::kAsMade);
  KnnOptions knn = options.knn.knn;
  knn.classes = std::max(count_classes(train), count_classes(test));
  FeatureScore score;
  score.width = own.rows.size(1);
  score.knn = classify_knn(comm, unit_rows(own.rows), own.labels, unit_rows(asked.rows), asked.labels, knn).accuracy;
  if (!options.probe) return score;
  LinearProbeOptions probe = *options.probe;
  probe.classes = knn.classes;
  const LinearProbeResult result = linear_probe(comm, {own.rows, own.labels}, {asked.rows, asked.labels}, probe);
  score.probe = result.accuracy;
  score.probe_l2 = result.l2;
  return score;
}

}  // namespace negatron
