#pragma once

#include <cstdint>

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/evaluation/equal_pauses.h"
#include "runtime/evaluation/features.h"
#include "runtime/evaluation/knn.h"

namespace negatron {

/// How much of the data a kNN evaluation looks at. A limited set is the first so many samples of a permutation drawn
/// from `seed`: the same in every evaluation of a run and on any number of ranks.
struct KnnEvaluationOptions {
  /// `knn.classes` is taken from the labels.
  KnnOptions knn;
  /// What the encoder sees of an image.
  ViewFormat format;
  /// Images per call of the encoder.
  std::int64_t batch = 500;
  /// Training images that vote; 0 means all.
  std::int64_t index_count = 0;
  /// Test images that are classified; 0 means all.
  std::int64_t query_count = 0;
  std::uint64_t seed = 0;
  /// Between batches, and between rounds of queries. May be empty.
  Pause pause{};

  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

/// Which of the two sets of an evaluation is drawn from.
enum class EvaluatedSet : std::uint64_t { kIndex = 0, kQueries = 1 };

/// Numbers of the images that an evaluation with these options looks at, [n] int64: all, or a draw. Local.
at::Tensor evaluated_images(const ImageSource& images, EvaluatedSet set, const KnnEvaluationOptions& options);

/// Features of a rank's share of some images, and their labels.
struct LabelledRows {
  at::Tensor rows;    // [n, D] fp32
  at::Tensor labels;  // [n] int64, on the device of the rows; undefined without
};

/// Of this rank's share() of the images `ids` [n] int64, in batches of `options.batch`. Local, but for the pauses.
LabelledRows own_rows(const Communicator& comm, const FeatureFunction& function, const ImageSource& images,
                      const at::Tensor& ids, const KnnEvaluationOptions& options, RowLength length = RowLength::kUnit);

/// Collective. Accuracy (0 to 1, the same on every rank) of the weighted kNN vote of training features over test
/// images; both sources have labels. Each rank decodes and computes the features of its share() of both sets. Throws
/// std::invalid_argument without labels.
double evaluate_knn(Communicator& comm, const FeatureFunction& function, const ImageSource& train,
                    const ImageSource& test, const KnnEvaluationOptions& options);

}  // namespace negatron
