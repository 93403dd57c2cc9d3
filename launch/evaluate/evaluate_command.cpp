#include "launch/evaluate/evaluate_command.h"

#include <algorithm>
#include <ostream>

#include "comm/together.h"
#include "launch/evaluate/evaluate_report.h"
#include "launch/exit_code.h"
#include "launch/flags/number_fields.h"
#include "launch/process_setup.h"
#include "launch/trained/encoder_start.h"
#include "runtime/encoders/encoder_pair.h"
#include "runtime/encoders/registry.h"

namespace negatron {
namespace {

constexpr const char* kUsageOfEvaluate =
    "usage: [mpirun -n RANKS] negatron evaluate RUN|SNAPSHOT|FILE [FLAGS]\n"
    "\n"
    "Classifies images by the features of a trained encoder: weighted kNN as a run measures it, and a linear probe,\n"
    "beside raw pixels and random weights on the same images. Of a run the newest snapshot that verifies; FILE is "
    "what\n"
    "negatron export or torch.save wrote. The answer is the same on any number of ranks.\n";

struct EvaluateArguments {
  EncoderArguments encoder;
  std::int64_t knn_k = 200;
  double knn_temperature = 0.1;
  bool probe = true;
  bool baselines = true;
  bool json = false;
};

FlagTable evaluate_flags(EvaluateArguments& request) {
  FlagTable table;
  add_encoder_flags(table, request.encoder);
  table.group("Measures");
  table.add("knn-k", within(&request.knn_k, 1, kMostCount), "neighbours that vote");
  table.add("knn-temperature", within(&request.knn_temperature, kLeastTemperature, kMostTemperature),
            "votes weigh exp(similarity / this)");
  table.add("probe", &request.probe, "logistic regression on the features, its penalty chosen on a tenth of --data");
  table.add("baselines", &request.baselines, "raw pixels and random weights on the same images, to compare with");
  table.add("json", &request.json, "one JSON object instead of text");
  return table;
}

/// What there is to classify by; throws UsageError on every rank without it.
void require_labels(const EncoderStart& start, const std::string& path) {
  const PretrainData& data = start.data();
  if (data.test == nullptr) {
    throw UsageError("--data '" + path + "' has no test part; --eval-data PATH names one, --holdout N draws one.");
  }
  if (!data.train->has_labels() || !data.test->has_labels()) {
    throw UsageError("--data '" + path + "' has no labels, so that there is nothing to classify.");
  }
}

class Evaluation {
 public:
  Evaluation(EncoderStart& start, const EvaluateArguments& request, std::ostream& out)
      : start_(start), request_(request), out_(out) {
    options_.knn.knn.k = request.knn_k;
    options_.knn.knn.temperature = request.knn_temperature;
    options_.knn.format = start.format();
    options_.knn.batch = request.encoder.batch;
    options_.knn.seed = request.encoder.seed;
    if (request.probe) options_.probe.emplace();
    options_.knn.validate();
  }

  EvaluateReport run() {
    const PretrainData& data = start_.data();
    report_.encoder = start_.saved().name;
    report_.step = start_.saved().step;
    report_.data = request_.encoder.data.path;
    report_.train_images = data.train->size();
    report_.test_images = data.test->size();
    report_.classes = std::max(count_classes(*data.train), count_classes(*data.test));
    report_.knn_k = request_.knn_k;
    if (request_.baselines) {
      raw_pixels();
      random_weights();
    }
    score("trained", options_, [&](const at::Tensor& views) { return start_.encoder().features(views); });
    return report_;
  }

 private:
  void raw_pixels() {
    const ImageSource& train = *start_.data().train;
    ScoreOptions options = options_;
    options.knn.format.normalization = start_.normalization_of_pixels();
    // The widest features there are: half of the room is for either part.
    const ImageSize& size = options.knn.format.size;
    const std::int64_t bytes = train.channels() * size.height * size.width * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most = std::max<std::int64_t>(1, request_.encoder.data_memory / bytes / 2);
    const bool all = std::max(report_.train_images, report_.test_images) <= most;
    // A classifier of as many numbers as a photograph has would take hours, and overfit.
    constexpr std::int64_t kWidestProbed = 4096;
    if (train.channels() * size.height * size.width > kWidestProbed) options.probe.reset();
    options.knn.index_count = options.knn.query_count = all ? 0 : most;
    score(train.gives_features() ? "raw features" : "raw pixels", options, pixels_as_features);
  }

  void random_weights() {
    EncoderPair untrained(start_.untrained(), start_.where(), start_.comm());
    const bool has_file = !choose_backbone(request_.encoder.backbone).arguments.file.empty();
    score(has_file ? "script's weights" : "random weights", options_,
          [&](const at::Tensor& views) { return untrained.features(views); });
  }

  void score(const std::string& name, const ScoreOptions& options, const FeatureFunction& features) {
    const PretrainData& data = start_.data();
    report_.subjects.push_back(
        {name, score_features(start_.comm(), features, *data.train, *data.test, options), options.knn.index_count});
    if (!start_.speaks() || request_.json) return;
    // A sign of life: the next may take as long.
    out_ << "measured: " << name << "\n" << std::flush;
  }

  EncoderStart& start_;
  const EvaluateArguments& request_;
  std::ostream& out_;
  ScoreOptions options_;
  EvaluateReport report_;
};

}  // namespace

void print_evaluate_help(std::ostream& out) {
  EvaluateArguments defaults;
  evaluate_flags(defaults).print_help(out, kUsageOfEvaluate);
}

void print_evaluate_completions(std::ostream& out) {
  EvaluateArguments defaults;
  evaluate_flags(defaults).print_completions(out);
}

int run_evaluate(Environment& environment, const std::vector<std::string>& arguments, std::ostream& out) {
  keep_freed_memory();
  EvaluateArguments request;
  FlagTable flags = evaluate_flags(request);
  EncoderStart start(environment, flags, request.encoder);
  start.read(arguments, 1, "usage: negatron evaluate RUN|SNAPSHOT|FILE [FLAGS]");
  start.place();
  require_labels(start, request.encoder.data.path);
  const EvaluateReport report = Evaluation(start, request, out).run();
  if (!start.speaks()) return kExitOk;
  request.json ? print_report_json(out, report) : print_report(out, report);
  return kExitOk;
}

}  // namespace negatron
