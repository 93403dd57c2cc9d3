#include "runtime/evaluation/evaluate_knn.h"

#include <algorithm>
#include <stdexcept>

#include "comm/share.h"
#include "runtime/data/epoch_order.h"

namespace negatron {

namespace {

/// The data set itself, or the first `count` samples of a permutation.
ImageDataset limit(const ImageDataset& dataset, std::int64_t count, std::uint64_t seed, std::uint64_t set) {
  if (count == 0 || count >= dataset.size()) return dataset;
  const at::Tensor order = random_permutation(dataset.size(), CounterRng(seed, Purpose::kEvaluation, 0, set));
  return dataset.select(order.slice(0, 0, count));
}

/// Features of this rank's share. A rank without images computes one, for the width and device, and drops its row.
at::Tensor own_features(const ImageFeatures& features, const ImageDataset& own, const ImageDataset& all) {
  return own.size() > 0 ? features(own.images) : features(all.slice({0, 1}).images).slice(0, 0, 0);
}

}  // namespace

void KnnEvaluationOptions::validate() const {
  knn.validate();
  if (index_count < 0) throw std::invalid_argument("The number of training images that vote must be 0 (all) or more.");
  if (query_count < 0) throw std::invalid_argument("The number of test images must be 0 (all) or more.");
}

double evaluate_knn(Communicator& comm, const ImageFeatures& features, const ImageDataset& train,
                    const ImageDataset& test, const KnnEvaluationOptions& options) {
  options.validate();
  // Every rank draws the same subset and takes its share of it, so the accuracy does not depend on the number of
  // ranks.
  const ImageDataset index = limit(train, options.index_count, options.seed, 0);
  const ImageDataset queries = limit(test, options.query_count, options.seed, 1);
  const ImageDataset own_index = index.slice(share(index.size(), comm.size(), comm.rank()));
  const ImageDataset own_queries = queries.slice(share(queries.size(), comm.size(), comm.rank()));
  const at::Tensor index_rows = own_features(features, own_index, index);      // [n, D]
  const at::Tensor query_rows = own_features(features, own_queries, queries);  // [m, D]

  KnnOptions knn = options.knn;
  knn.classes = std::max(train.classes(), test.classes());
  const at::Device device = index_rows.device();
  return classify_knn(comm, index_rows, own_index.labels.to(device), query_rows, own_queries.labels.to(device), knn)
      .accuracy;
}

}  // namespace negatron
