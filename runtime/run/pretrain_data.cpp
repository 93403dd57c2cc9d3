#include "runtime/run/pretrain_data.h"

#include <stdexcept>

#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"
#include "runtime/data/sample_types.h"
#include "runtime/data/source_part.h"

namespace negatron {

PretrainData load_pretrain_data(const PretrainOptions& options, const ContrastSetup& setup) {
  PretrainData data;
  data.train = open_images(options.data_directory);
  const std::int64_t samples = data.train->size();
  if (!options.sample_types.empty()) data.sample_types = read_sample_types(options.sample_types, samples);
  require_data(options, setup, data.sample_types, data.train->has_labels());
  if (options.holdout == 0) {
    data.test = data.train->test_part();
    if (data.test == nullptr) {
      throw DataError("Data '" + options.data_directory +
                      "' have no test part; --holdout N evaluates on the last N of the training samples.");
    }
    return data;
  }
  const std::int64_t kept = samples - options.holdout;
  if (kept < 1) {
    throw std::invalid_argument("--holdout " + std::to_string(options.holdout) + " leaves nothing of the " +
                                std::to_string(samples) + " training samples.");
  }
  data.test = std::make_shared<const SourcePart>(data.train, Range{kept, samples});
  data.train = std::make_shared<const SourcePart>(data.train, Range{0, kept});
  return data;
}

}  // namespace negatron
