#pragma once

#include <memory>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// What is trained on, and what evaluation classifies.
struct PretrainData {
  std::shared_ptr<const ImageSource> train;
  std::shared_ptr<const ImageSource> test;
  /// [train samples] int64 as read_sample_types() gives them, undefined without --sample-types.
  at::Tensor sample_types;
};

/// Opens what `options.data_directory` names; with `options.holdout` the last samples of the training set become the
/// test part and the real test set stays unseen. Local. Throws DataError, or std::invalid_argument naming --holdout, or
/// the objective, the sampler or its option that does not fit the labels and types of the samples.
PretrainData load_pretrain_data(const PretrainOptions& options, const ContrastSetup& setup);

}  // namespace negatron
