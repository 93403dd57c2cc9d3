#pragma once

#include <cstdint>
#include <functional>

#include "comm/communicator.h"
#include "runtime/data/image_dataset.h"
#include "runtime/evaluation/knn.h"

namespace negatron {

/// How much of the data a kNN evaluation looks at. A limited set is the first so many samples of a permutation drawn
/// from `seed`: the same in every evaluation of a run and on any number of ranks.
struct KnnEvaluationOptions {
  /// `knn.classes` is taken from the labels.
  KnnOptions knn;
  /// Training images that vote; 0 means all.
  std::int64_t index_count = 0;
  /// Test images that are classified; 0 means all.
  std::int64_t query_count = 0;
  std::uint64_t seed = 0;

  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

/// [n, C, H, W] uint8 -> [n, D] unit rows: `extract_features` or `pixel_features` with their arguments bound.
using ImageFeatures = std::function<at::Tensor(const at::Tensor&)>;

/// Collective. Accuracy (0 to 1, the same on every rank) of the weighted kNN vote of training features over test
/// images. Each rank computes the features of its share() of both sets.
double evaluate_knn(Communicator& comm, const ImageFeatures& features, const ImageDataset& train,
                    const ImageDataset& test, const KnnEvaluationOptions& options);

}  // namespace negatron
