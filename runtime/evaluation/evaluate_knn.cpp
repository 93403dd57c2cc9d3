#include "runtime/evaluation/evaluate_knn.h"

#include <algorithm>
#include <stdexcept>

#include "comm/share.h"
#include "runtime/data/epoch_order.h"

namespace negatron {

namespace {

/// Numbers of all images, or of the first `count` of a permutation.
at::Tensor chosen_images(const ImageSource& images, std::int64_t count, std::uint64_t seed, std::uint64_t set) {
  if (count == 0 || count >= images.size()) return at::arange(images.size(), at::kLong);
  return random_permutation(images.size(), CounterRng(seed, Purpose::kEvaluation, 0, set)).slice(0, 0, count);
}

/// Features of this rank's share of the images `ids`, and their labels.
struct LabelledRows {
  at::Tensor rows;    // [n, D]
  at::Tensor labels;  // [n] int64, on the device of the rows
};

LabelledRows own_rows(const Communicator& comm, const FeatureFunction& function, const ImageSource& images,
                      const at::Tensor& ids, const KnnEvaluationOptions& options) {
  const Range own = share(ids.size(0), comm.size(), comm.rank());
  // A rank without images computes one, for the width and device, and drops its row.
  const Range taken = own.size() > 0 ? own : Range{0, 1};
  const at::Tensor rows =
      extract_features(function, images, ids.slice(0, taken.begin, taken.end), options.format, options.batch);
  const at::Tensor labels = labels_of(images, ids.slice(0, own.begin, own.end));
  return {rows.slice(0, 0, own.size()), labels.to(rows.device())};
}

}  // namespace

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
  const at::Tensor index = chosen_images(train, options.index_count, options.seed, 0);
  const at::Tensor queries = chosen_images(test, options.query_count, options.seed, 1);
  const LabelledRows own_index = own_rows(comm, function, train, index, options);
  const LabelledRows own_queries = own_rows(comm, function, test, queries, options);
  KnnOptions knn = options.knn;
  knn.classes = std::max(count_classes(train), count_classes(test));
  return classify_knn(comm, own_index.rows, own_index.labels, own_queries.rows, own_queries.labels, knn).accuracy;
}

}  // namespace negatron
