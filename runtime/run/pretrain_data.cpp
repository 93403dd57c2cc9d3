#include "runtime/run/pretrain_data.h"

#include <utility>

#include "runtime/data/converted_source.h"
#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"
#include "runtime/data/sample_numbers.h"
#include "runtime/data/sound_images.h"
#include "runtime/data/source_part.h"
#include "runtime/run/data_memory.h"
#include "runtime/run/sample_flags.h"

namespace negatron {
namespace {

void hold_out_images(const PretrainOptions& options, PretrainData& data) {
  const HeldOut parts = hold_out(data.train->size(), data.train->labels(), options.holdout);
  data.test = std::make_shared<const SourcePart>(data.train, parts.test);
  data.train = std::make_shared<const SourcePart>(data.train, parts.train);
  for (at::Tensor* of_samples : {&data.facts.types, &data.facts.counts}) {
    if (of_samples->defined()) *of_samples = of_samples->index_select(0, parts.train);
  }
  const std::string how = !options.holdout.drawn     ? ", the last ones, are"
                          : data.train->has_labels() ? ", the same share of each label, are"
                                                     : ", drawn at random, are";
  data.remarks.push_back(std::to_string(parts.test.size(0)) + " of the training images" + how +
                         " held out for evaluation.");
}

/// Of features there must be as many, and none of them pixels. `tested` is what messages call the other part.
void check_same_features(const PretrainOptions& options, const PretrainData& data, const std::string& tested) {
  const auto what = [](const ImageSource& source) {
    return source.gives_features() ? std::to_string(source.channels()) + " features a sample" : std::string("images");
  };
  if (!data.train->gives_features() && !data.test->gives_features()) return;
  if (what(*data.train) == what(*data.test)) return;
  throw DataError("Of '" + options.data.path + "' there are " + what(*data.train) + ", of " + tested + " " +
                  what(*data.test) + ".");
}

void open_eval_data(const PretrainOptions& options, PretrainData& data) {
  SourceOptions evaluated = options.data;
  evaluated.path = options.eval_data;
  evaluated.kind = kAnyKind;
  if (!data.train->gives_features()) evaluated.channels = data.train->channels();
  data.test = open_images(evaluated);
  check_same_features(options, data, "--eval-data '" + options.eval_data + "'");
  if (!data.train->has_labels() || !data.test->has_labels()) return;
  if (data.test->label_names() == data.train->label_names()) return;
  throw DataError("The labels of --eval-data '" + options.eval_data + "' have other names than those of '" +
                  options.data.path + "', so that equal numbers mean different things.");
}

void find_test_images(const PretrainOptions& options, PretrainData& data) {
  if (options.holdout.count > 0) {
    hold_out_images(options, data);
  } else if (!options.eval_data.empty()) {
    open_eval_data(options, data);
  } else {
    data.test = data.train->test_part();
    if (data.test != nullptr) {
      check_same_features(options, data, "its test part");
      // Training images that are as the flags ask pass on a test part that may not be.
      data.test = ConvertedSource::where_needed(data.test, options.data);
    }
  }
  if (data.test == nullptr) {
    data.remarks.push_back(
        "The data have no test part: evaluation is alignment and uniformity of training images; "
        "--holdout N or --eval-data gives a kNN accuracy.");
  } else if (!data.train->has_labels() || !data.test->has_labels()) {
    data.remarks.push_back("The data have no labels: evaluation is alignment and uniformity, without a kNN accuracy.");
  } else if (data.test->channels() != data.train->channels()) {
    throw DataError("The training images have " + std::to_string(data.train->channels()) +
                    " channels, those of the test part " + std::to_string(data.test->channels()) +
                    "; --data-channels makes them equal.");
  }
}

/// Images that are read when they are needed take none.
void require_memory(const PretrainOptions& options, const PretrainData& data) {
  const std::int64_t bytes = image_bytes(data);
  if (bytes <= options.data_memory) return;
  throw DataError("The images of '" + options.data.path + "' take " + std::to_string(bytes) +
                  " bytes in the memory of each rank, more than the " + std::to_string(options.data_memory) +
                  " of --data-memory; folders, lists, tar shards, CIFAR and HDF5 files are read image by image.");
}

}  // namespace

PretrainData load_pretrain_data(const PretrainOptions& options, const ContrastSetup& setup,
                                const std::function<void(const std::string&)>& tell) {
  PretrainData data;
  data.train = open_images(options.data);
  check_sample_flags(options, data.train->gives_features());
  const std::int64_t samples = data.train->size();
  if (!options.sample_types.empty()) data.facts.types = read_sample_types(options.sample_types, samples);
  if (!options.sample_counts.empty()) data.facts.counts = read_sample_counts(options.sample_counts, samples);
  require_data(options, setup, data.facts, data.train->has_labels());
  find_test_images(options, data);
  // Of the samples that are left.
  if (options.holdout.count > 0) require_data(options, setup, data.facts, data.train->has_labels());
  require_memory(options, data);
  if (!options.skips_bad_images) return data;
  // Behind the parting: no image of the other part may take the place of a broken one.
  data.train = std::make_shared<const SoundImages>(data.train, tell);
  if (data.test != nullptr) data.test = std::make_shared<const SoundImages>(data.test, tell);
  return data;
}

}  // namespace negatron
