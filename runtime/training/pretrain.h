#pragma once

#include <filesystem>
#include <iosfwd>
#include <limits>

#include "comm/communicator.h"
#include "runtime/data/image_dataset.h"
#include "runtime/metrics/progress_line.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// The two parts of the data: what is trained on, and what evaluation classifies.
struct PretrainData {
  ImageDataset train;
  ImageDataset test;
  /// [train samples] int64, undefined without --sample-types.
  at::Tensor sample_types;
};

/// Reads them from `options.data_directory`; with `options.holdout` the last samples of the training set become the
/// test part and the real test set stays unseen. Local. Throws DataError, or std::invalid_argument naming --holdout or
/// an option of the sampler that does not fit the types.
PretrainData load_pretrain_data(const PretrainOptions& options);

/// kNN accuracies, 0 to 1; the first two are NaN without baselines.
struct PretrainSummary {
  double raw_pixels = std::numeric_limits<double>::quiet_NaN();
  double random_weights = std::numeric_limits<double>::quiet_NaN();
  double trained = 0.0;
};

/// The whole run: evaluates raw pixels and random weights, trains all epochs, evaluates on the way and at the end;
/// writes `metrics.jsonl` into `run_directory` and shows progress on `out` in the manner of `display` (rank 0 only).
/// Collective. `comm` carries tensors of `place.device`.
PretrainSummary pretrain(const PretrainOptions& options, const ComputePlace& place, const PretrainData& data,
                         Communicator& comm, const std::filesystem::path& run_directory, std::ostream& out,
                         const ProgressDisplay& display);

}  // namespace negatron
