#include "runtime/evaluation/evaluate_knn.h"

#include <algorithm>
#include <stdexcept>

#include "comm/share.h"
#include "runtime/data/orders/epoch_order.h"

namespace negatron {

at::Tensor evaluated_images(const ImageSource& images, EvaluatedSet set, const KnnEvaluationOptions& options) {
  const std::int64_t count = set == EvaluatedSet::kIndex ? options.index_count : options.query_count;
  if (count == 0 || count >= images.size()) return at::arange(images.size(), at::kLong);
  const CounterRng random(options.seed, Purpose::kEvaluation, 0, static_cast<std::uint64_t>(set));
  return random_permutation(images.size(), random).slice(0, 0, count);
}

LabelledRows own_rows(const Communicator& comm, const FeatureFunction& function, const ImageSource& images,
                      const at::Tensor& ids, const KnnEvaluationOptions& options, RowLength length) {
  const Range own = share(ids.size(0), comm.size(), comm.rank());
  // A rank without images computes one, for the width and device, and drops its row.
  const Range taken = own.size() > 0 ? own : Range{0, 1};
  EqualPauses pauses(comm, ids.size(0), options.batch, options.pause);
  const at::Tensor rows = extract_features(pauses.before_each(function), images, ids.slice(0, taken.begin, taken.end),
                                           options.format, options.batch, length);
  pauses.finish();
  const at::Tensor labels = labels_of(images, ids.slice(0, own.begin, own.end));
  return {rows.slice(0, 0, own.size()), labels.defined() ? labels.to(rows.device()) : labels};
}

void KnnEvaluationOptions::validate() const {
  knn.validate();
  format.normalization.validate();
  if (index_count < 0) throw std::invalid_argument("The number of training images that vote must be 0 (all) or more.");
  if (query_count < 0) throw std::invalid_argument("The number of test images must be 0 (all) or more.");
}

double evaluate_knn(Communicator& comm, const FeatureFunction& function, const ImageSource& train,
                    const ImageSource& test, const KnnEvaluationOptions& options) {
  options.validate();
  if (!train.has_labels() || !test.has_labels()) throw std::invalid_argument("A kNN evaluation needs labels.");
  // Every rank draws the same subset and takes its share of it, so the accuracy does not depend on the number of
  // ranks.
  const at::Tensor index = evaluated_images(train, EvaluatedSet::kIndex, options);
  const at::Tensor queries = evaluated_images(test, EvaluatedSet::kQueries, options);
  const LabelledRows own_index = own_rows(comm, function, train, index, options);
  const LabelledRows own_queries = own_rows(comm, function, test, queries, options);
  KnnOptions knn = options.knn;
  knn.classes = std::max(count_classes(train), count_classes(test));
  knn.pause = options.pause;
  return classify_knn(comm, own_index.rows, own_index.labels, own_queries.rows, own_queries.labels, knn).accuracy;
}

}  // namespace negatron
