#include "launch/export/export_command.h"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "launch/exit_code.h"
#include "launch/export/export_arguments.h"
#include "launch/export/export_report.h"
#include "launch/one_process.h"
#include "launch/pretrain/saved_settings.h"
#include "launch/trained/choose_path.h"
#include "runtime/run/saved_encoder.h"
#include "runtime/snapshots/files/new_path.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/weights/write_safetensors.h"
#include "runtime/weights/write_torch_file.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsageOfExport =
    "usage: negatron export RUN|SNAPSHOT FILE [FLAGS]\n"
    "\n"
    "Writes the trained encoder as a file of weights, under torchvision's or timm's names, with all that is needed to\n"
    "use it: mean, deviation, size and channels of its inputs, encoder, step and settings. Of a run it is that of the\n"
    "newest snapshot that verifies. One process, no mpirun. launch/AFTER.md shows how it is loaded.\n";

/// Those that say what the networks are, what they were trained against and how: no paths of somebody's machine.
constexpr const char* kExportedSettings[] = {"encoder",
                                             "stem",
                                             "encoder-norm",
                                             "encoder-channels",
                                             "encoder-strides",
                                             "encoder-groups",
                                             "pool-grid",
                                             "head-hidden",
                                             "head-norm",
                                             "width",
                                             "key-momentum",
                                             "objective",
                                             "objective-options",
                                             "negatives",
                                             "sampler",
                                             "sampler-options",
                                             "symmetric",
                                             "predictor-hidden",
                                             "tau",
                                             "learn-tau",
                                             "bank-kind",
                                             "bank-per-view",
                                             "bank-rows",
                                             "refresh-every",
                                             "bank-dtype",
                                             "mask-own-sample",
                                             "max-key-age",
                                             "global-batch",
                                             "batch-identities",
                                             "batch-order",
                                             "batch-similar",
                                             "epochs",
                                             "optimizer",
                                             "lr",
                                             "weight-decay",
                                             "precision",
                                             "views",
                                             "seed"};

SettingValues exported_settings(const SettingValues& all) {
  SettingValues some;
  for (const char* name : kExportedSettings) {
    const auto found = all.find(name);
    if (found != all.end() && !found->second.empty()) some.insert(*found);
  }
  return some;
}

/// Before anything is read: verifying a snapshot can take long.
void check_target(const PosixFileLayer& files, const ExportArguments& request) {
  const std::string& path = request.paths.at(1);
  if (files.exists(path) && !request.force) throw UsageError("'" + path + "' exists already; --force replaces it.");
  if (!files.exists(path)) check_new_path(files, path);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw UsageError("'" + path + "' is a directory; export writes a file.");
}

ViewFormat format_of(const ExportArguments& request, const SavedEncoder& saved, const PretrainOptions& options) {
  const auto missing = [&](const std::string& what, const std::string& flag) {
    return UsageError("The " + saved.name + " is of an older version and does not say " + what + "; " + flag +
                      " says it.");
  };
  ViewFormat format;
  const auto& known = request.normalization ? request.normalization : saved.inputs.normalization;
  if (!known && !options.normalization) throw missing("what its inputs were normalised with", "--normalize");
  format.normalization = known ? *known : *options.normalization;
  format.size = saved.inputs.view_size;
  if (request.image_size != 0) format.size = {request.image_size, request.image_size};
  if (format.size.height == 0) format.size = {options.data.view_side, options.data.view_side};
  if (format.size.height < 1) throw missing("how large its inputs were", "--image-size");
  return format;
}

ExportedRecipe recipe_of(const ExportArguments& request, const SavedEncoder& saved) {
  const SettingValues settings = saved_settings(saved.inputs.config);
  const PretrainOptions options = options_of(settings);
  ExportedRecipe recipe;
  recipe.settings = exported_settings(settings);
  recipe.format = format_of(request, saved, options);
  const auto means = static_cast<std::int64_t>(recipe.format.normalization.mean().size());
  recipe.channels = std::max(saved.channels(), means);
  if (!recipe.format.normalization.serves(recipe.channels)) {
    throw UsageError("--normalize has " + std::to_string(means) + " means, the inputs of " + saved.name + " have " +
                     std::to_string(recipe.channels) + " channels.");
  }
  recipe.library = library_network(options.encoder, recipe.channels, recipe.format.size);
  return recipe;
}

int export_weights(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems) {
  ExportArguments request;
  FlagTable flags = export_flags(request);
  if (!flags.parse(arguments)) {
    flags.print_help(out, kUsageOfExport);
    return kExitOk;
  }
  if (request.paths.size() != 2) {
    throw UsageError("negatron export takes a run or snapshot and the file to write, " +
                     std::to_string(request.paths.size()) + " were given; usage: negatron export RUN|SNAPSHOT FILE");
  }
  if (request.image_size < 0)
    throw UsageError("--image-size must be at least 0 pixels (0 means as the snapshot says).");
  PosixFileLayer files;
  check_target(files, request);
  const OpenedPath opened = choose_trained(files, request.paths[0]);
  for (const std::string& note : opened.notes) problems << "negatron: note: " << note << "\n";
  const SavedEncoder saved = read_saved_encoder({opened.snapshot, read_manifest(files, opened.snapshot)});
  ExportReport report;
  report.request = &request;
  report.recipe = recipe_of(request, saved);
  report.weights = exported_weights(saved, request.parts);
  report.facts = exported_facts(saved, report.recipe);
  const auto write = [&](const fs::path& partial) {
    const auto writer = request.format == WeightsFormat::kTorch ? write_torch_file : write_safetensors;
    writer(files, partial, report.weights, report.facts);
  };
  write_then_rename(files, request.paths[1], write, request.force ? Existing::kReplaced : Existing::kRefused);
  print_export(out, report);
  return kExitOk;
}

}  // namespace

void print_export_completions(std::ostream& out) {
  ExportArguments defaults;
  export_flags(defaults).print_completions(out);
}

int run_export(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems) {
  return run_one_process("export", problems, [&] { return export_weights(arguments, out, problems); });
}

}  // namespace negatron
