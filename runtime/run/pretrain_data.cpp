#include "runtime/run/pretrain_data.h"

#include <stdexcept>

#include "runtime/data/sample_types.h"
#include "runtime/training/contrast_setup.h"

namespace negatron {

PretrainData load_pretrain_data(const PretrainOptions& options) {
  PretrainData data;
  data.train = load_idx_dataset(options.data_directory, DataPart::kTrain);
  if (!options.sample_types.empty()) {
    data.sample_types = read_sample_types(options.sample_types, data.train.size());
    resolve_contrast(options, data.sample_types);
  }
  if (options.holdout == 0) {
    data.test = load_idx_dataset(options.data_directory, DataPart::kTest);
    return data;
  }
  const std::int64_t kept = data.train.size() - options.holdout;
  if (kept < 1) {
    throw std::invalid_argument("--holdout " + std::to_string(options.holdout) + " leaves nothing of the " +
                                std::to_string(data.train.size()) + " training samples.");
  }
  data.test = data.train.slice({kept, data.train.size()});
  data.train = data.train.slice({0, kept});
  return data;
}

}  // namespace negatron
