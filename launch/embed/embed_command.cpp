#include "launch/embed/embed_command.h"

#include <exception>
#include <ostream>

#include "comm/together.h"
#include "launch/embed/embed_file.h"
#include "launch/exit_code.h"
#include "launch/flags/typed_fields.h"
#include "launch/process_setup.h"
#include "launch/trained/encoder_start.h"

namespace negatron {
namespace {

constexpr const char* kUsageOfEmbed =
    "usage: [mpirun -n RANKS] negatron embed RUN|SNAPSHOT|FILE OUT.npy|OUT.h5 [FLAGS]\n"
    "\n"
    "Writes what a trained encoder makes of every image of --data, in their order: features, or with --embeddings "
    "what\n"
    "the bank holds of such images. HDF5: features [n, F], ids, labels; .npy: OUT.npy, OUT.ids.npy, OUT.labels.npy.\n"
    "--data of pretrain and evaluate reads either. The same rows on any number of ranks.\n";

enum class Part { kTrain, kTest };

struct EmbedArguments {
  EncoderArguments encoder;
  Part part = Part::kTrain;
  bool embeddings = false;
  bool unit_rows = false;
  bool force = false;
};

FlagTable embed_flags(EmbedArguments& request) {
  FlagTable table;
  add_encoder_flags(table, request.encoder);
  table.group("Rows");
  table.add("part", one_of<Part>(&request.part, {{"train", Part::kTrain}, {"test", Part::kTest}}),
            "of --data: train, or test (its test part, --eval-data or --holdout)");
  table.add("embeddings", &request.embeddings,
            "rows [n, d] behind the projection head, as the bank has them, and no features");
  table.add("unit-rows", &request.unit_rows, "features scaled to length 1, as kNN compares them");
  table.add("force", &request.force, "replace OUT where it exists");
  return table;
}

/// The images of the part that is asked for.
const ImageSource& images_of(const EncoderStart& start, const EmbedArguments& request) {
  if (request.part == Part::kTrain) return *start.data().train;
  if (start.data().test != nullptr) return *start.data().test;
  throw UsageError("--part test: --data '" + request.encoder.data.path + "' has no test part.");
}

EmbedTarget target_of(const EncoderStart& start, const EmbedArguments& request, bool has_labels) {
  EmbedTarget target;
  target.path = request.encoder.paths.at(1);
  target.dataset = request.embeddings ? "embeddings" : "features";
  target.has_labels = has_labels;
  target.existing = request.force ? Existing::kReplaced : Existing::kRefused;
  target.attributes = {{"/", "encoder", start.saved().name}, {"/", "data", request.encoder.data.path}};
  if (start.saved().step) target.attributes.push_back({"/", "step", *start.saved().step});
  return target;
}

void check_files(const FileLayer& files, const EmbedTarget& target) {
  for (const std::filesystem::path& path : files_of(target)) {
    if (!files.exists(path)) {
      check_new_path(files, path);
    } else if (target.existing == Existing::kRefused) {
      throw UsageError("'" + path.string() + "' exists already; --force replaces it.");
    }
  }
}

/// Rank 0 writes what all compute. Its own failure is told where the others wait for the next round, or for its end.
std::vector<std::int64_t> write_together(Communicator& host, FileLayer& files, const EmbedTarget& target,
                                         std::int64_t images, FeatureRounds& rounds) {
  std::vector<std::int64_t> shape;
  std::exception_ptr failure;
  if (host.rank() != 0) {
    while (!rounds.done()) rounds.next();
  } else {
    try {
      shape = write_rounds(files, target, images, rounds);
    } catch (const FailedTogether&) {
      throw;
    } catch (...) {
      failure = std::current_exception();
    }
  }
  together(host, [&] {
    if (failure) std::rethrow_exception(failure);
  });
  return shape;
}

}  // namespace

void print_embed_help(std::ostream& out) {
  EmbedArguments defaults;
  embed_flags(defaults).print_help(out, kUsageOfEmbed);
}

void print_embed_completions(std::ostream& out) {
  EmbedArguments defaults;
  embed_flags(defaults).print_completions(out);
}

int run_embed(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out) {
  keep_freed_memory();
  EmbedArguments request;
  FlagTable flags = embed_flags(request);
  EncoderStart start(environment, flags, request.encoder);
  start.read(arguments, 2, "usage: negatron embed RUN|SNAPSHOT|FILE OUT.npy|OUT.h5 [FLAGS]");
  PosixFileLayer files;
  on_rank_0(start.host(), [&] {
    check_files(files, target_of(start, request, true));
    return std::string();
  });
  start.place();
  if (request.embeddings && !start.encoder().has_head()) {
    throw UsageError("--embeddings: " + start.saved().name +
                     " holds no projection head; negatron export --head keeps it.");
  }
  const ImageSource& images = images_of(start, request);
  const EmbedTarget target = target_of(start, request, images.has_labels());
  FeatureRounds::Options options;
  options.format = start.format();
  options.batch = request.encoder.batch;
  options.length = request.unit_rows ? RowLength::kUnit : RowLength::kAsMade;
  const FeatureFunction function = [&](const at::Tensor& views) {
    return request.embeddings ? start.encoder().embed(views) : start.encoder().features(views);
  };
  FeatureRounds rounds(start.host(), start.comm(), function, images, options);
  const std::vector<std::int64_t> shape = write_together(start.host(), files, target, images.size(), rounds);
  if (!start.speaks()) return kExitOk;
  out << "wrote " << target.path.string() << ": " << target.dataset << " [" << shape.at(0) << ", " << shape.at(1)
      << "] of " << start.saved().name << (target.has_labels ? ", ids and labels" : " and ids") << "\n"
      << std::flush;
  return kExitOk;
}

}  // namespace negatron
