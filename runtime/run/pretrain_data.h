#pragma once

#include <ATen/ATen.h>

#include "runtime/data/image_dataset.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// What is trained on, and what evaluation classifies.
struct PretrainData {
  ImageDataset train;
  ImageDataset test;
  /// [train samples] int64 as read_sample_types() gives them, undefined without --sample-types.
  at::Tensor sample_types;
};

/// Reads them from `options.data_directory`; with `options.holdout` the last samples of the training set become the
/// test part and the real test set stays unseen. Local. Throws DataError, or std::invalid_argument naming --holdout or
/// an option of the sampler that does not fit the types.
PretrainData load_pretrain_data(const PretrainOptions& options);

}  // namespace negatron
