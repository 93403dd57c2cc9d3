#include "launch/trained/encoder_start.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "comm/mpi/mpi_communicator.h"
#include "comm/together.h"
#include "launch/build_identity.h"
#include "launch/compute_device.h"
#include "launch/cores/thread_budget.h"
#include "launch/exit_code.h"
#include "launch/process_setup.h"
#include "launch/trained/choose_path.h"
#include "runtime/data/measured_normalization.h"
#include "runtime/data/registry.h"
#include "runtime/run/data_identity.h"

namespace negatron {
namespace {

constexpr std::chrono::hours kOpeningTimeLimit{1};
/// Of a sample that is a row of features.
constexpr ImageSize kFeatureSize{1, 1};

std::unique_ptr<Communicator> patient_communicator(Environment& environment) {
  CommunicatorOptions options;
  options.time_limit = kOpeningTimeLimit;
  return make_mpi_communicator(environment, options);
}

/// The sentences of one rank in one write.
void remark_on(const std::string& sentence) {
  std::cerr << ("negatron: note: " + sentence + "\n") << std::flush;
}

}  // namespace

EncoderStart::EncoderStart(Environment& environment, FlagTable& flags, EncoderArguments& request)
    : environment_(environment),
      flags_(flags),
      request_(request),
      restoring_(patient_communicator(environment)),
      topology_(discover_topology(environment)),
      ranks_(*restoring_, topology_.host) {}

void EncoderStart::read(const std::vector<std::string>& arguments, std::size_t paths, const std::string& usage) {
  ranks_.require("builds of the program", build_identity());
  together(*restoring_, [&] {
    flags_.parse(arguments);
    if (request_.paths.size() == paths) return;
    throw UsageError(std::to_string(request_.paths.size()) +
                     (request_.paths.size() == 1 ? " path was given; " : " paths were given; ") + usage);
  });
  open();
  together(*restoring_, [&] {
    is_own_data_ = request_.data.path.empty();
    settings_ = saved_.inputs.config.empty() ? SettingValues() : saved_settings(saved_.inputs.config);
    flags_.set(settings_that_stand(settings_, request_));
    // Over the settings of the run.
    flags_.parse(arguments);
    request_.validate();
    if (request_.backbone.name.empty()) {
      throw UsageError(saved_.name + " does not say which network its weights are of; --encoder does.");
    }
    if (request_.data.path.empty()) throw UsageError("--data is missing: " + saved_.name + " names no images.");
  });
  ranks_.require("settings", flags_.ini());
}

void EncoderStart::open() {
  const std::string& path = request_.paths.front();
  const std::string snapshot = on_rank_0(*restoring_, [&] {
    // Of the snapshot one rank verifies all that there is.
    const OpenedPath opened = choose_path(files_, path);
    for (const std::string& note : opened.notes) remark_on(note);
    return opened.snapshot.string();
  });
  together(*restoring_, [&] {
    saved_ =
        snapshot.empty() ? read_encoder_file(path) : read_saved_encoder({snapshot, read_manifest(files_, snapshot)});
  });
}

void EncoderStart::place() {
  load_data();
  together(*restoring_, [&] {
    place_.device = compute_device(topology_, request_.device);
    place_.precision = precision_of(saved_, choose_precision(request_.precision, place_.device));
  });
  ranks_.require("precision", name_of(place_.precision));
  const int budget = thread_budget(*restoring_).threads;
  at::set_num_threads(request_.threads > 0 ? static_cast<int>(request_.threads) : budget);
  choose_gpu_arithmetic(/*tf32=*/false, /*benchmark=*/false);
  find_format();
  training_.emplace(environment_, place_.device, CommunicatorOptions{});
  together(*restoring_, [&] {
    TrainedEncoderOptions options;
    options.backbone = request_.backbone;
    options.channels = data_.train->channels();
    options.view_size = format_.size;
    options.key_encoder = request_.key_encoder;
    options.length = options_of(settings_).head.length;
    encoder_.emplace(saved_, options, place_, comm());
  });
}

void EncoderStart::check_kind(const SourceOptions& data) const {
  std::error_code ignored;
  // Features lie in one file; folders need not be looked through twice.
  const bool are_features = std::filesystem::is_regular_file(data.path, ignored) && open_images(data)->gives_features();
  const bool takes_features = saved_.inputs.view_size == kFeatureSize;
  if (saved_.inputs.view_size.height == 0 || are_features == takes_features) return;
  throw UsageError("The encoder of " + saved_.name + " takes " + (takes_features ? "features" : "images") +
                   ", but --data '" + data.path + "' holds " + (are_features ? "features." : "images."));
}

void EncoderStart::load_data() {
  PretrainOptions asked;
  asked.data = request_.data;
  asked.eval_data = request_.eval_data;
  asked.holdout = request_.holdout;
  asked.skips_bad_images = request_.skips_bad_images;
  asked.data_memory = request_.data_memory;
  asked.encoder = request_.backbone;
  on_rank_0(*restoring_, [&] {
    prepare_images(asked.data);
    if (!asked.eval_data.empty()) prepare_images({asked.eval_data});
    return std::string();
  });
  std::string data;
  together(*restoring_, [&] {
    check_kind(asked.data);
    // Features are as many as they are, and no colours.
    if (saved_.inputs.view_size != kFeatureSize) asked.data.channels = saved_.channels();
    data_ = load_pretrain_data(asked, resolve_contrast(asked), remark_on);
    data = data_text(data_);
    const std::int64_t channels = data_.train->channels();
    if (saved_.channels() == 0 || saved_.channels() == channels) return;
    throw UsageError("The encoder of " + saved_.name + " takes inputs of " + std::to_string(saved_.channels()) +
                     " channels, --data '" + request_.data.path + "' has " + std::to_string(channels) + ".");
  });
  ranks_.require("data", data);
}

void EncoderStart::find_format() {
  std::optional<Normalization> known = request_.normalization ? request_.normalization : saved_.inputs.normalization;
  together(*restoring_, [&] {
    if (!known || known->serves(data_.train->channels())) return;
    throw UsageError("--normalize has " + std::to_string(known->mean().size()) + " means, the inputs have " +
                     std::to_string(data_.train->channels()) + " channels.");
  });
  if (!known && speaks()) {
    remark_on(saved_.name + " does not say what its inputs were normalised with; --data measures it.");
  }
  format_ = ViewFormat::of(*data_.train, known, *restoring_);
  if (saved_.inputs.view_size.height > 0) format_.size = saved_.inputs.view_size;
  if (request_.image_size > 0) format_.size = {request_.image_size, request_.image_size};
}

Normalization EncoderStart::normalization_of_pixels() const {
  // What a run measured is kept and not measured again: versions before looked at other images than this one.
  if (request_.normalization || is_own_data_) return format_.normalization;
  return measured_normalization(*data_.train, host());
}

EncoderPairOptions EncoderStart::untrained() const {
  EncoderPairOptions options;
  options.backbone = request_.backbone;
  options.input_channels = data_.train->channels();
  options.view_size = format_.size;
  options.head = options_of(settings_).head;
  options.keys = KeyMaker::kNobody;
  options.seed = request_.seed;
  return options;
}

}  // namespace negatron
