#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// What is trained on, and what evaluation classifies.
struct PretrainData {
  std::shared_ptr<const ImageSource> train;
  /// Null where nothing is kept apart: then there is no kNN, and views of training images are looked at.
  std::shared_ptr<const ImageSource> test;
  /// Of the training samples.
  SampleFacts facts;
  /// What a person should know of it before the run, a sentence each.
  std::vector<std::string> remarks = {};
};

/// Opens what `options.data` names, and what evaluation uses: `options.eval_data`, held out training images, or else
/// the test part if there is one. Where images are decoded, `tell` gets a sentence for each of the first broken ones,
/// in any thread. Local. Throws DataError, also for images that take more memory than `options.data_memory`, or
/// std::invalid_argument naming --holdout, or the objective, the sampler or its option that does not fit the labels and
/// types of the samples.
PretrainData load_pretrain_data(const PretrainOptions& options, const ContrastSetup& setup,
                                const std::function<void(const std::string&)>& tell = {});

}  // namespace negatron
