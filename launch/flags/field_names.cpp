#include "launch/flags/field_names.h"

#include <algorithm>
#include <cctype>

namespace negatron {
namespace {

struct KnownAs {
  const char* ours;
  std::vector<std::string> theirs;
};

/// From the flags of MoCo, SimCLR, solo-learn, lightly, timm and PyTorch's examples.
const std::vector<KnownAs>& flag_names() {
  static const std::vector<KnownAs> names = {
      {"global-batch",
       {"batch-size", "batch", "bs", "b", "global-batch-size", "batch-size-per-gpu", "total-batch-size"}},
      {"accumulate",
       {"accum-iter", "accumulation-steps", "gradient-accumulation-steps", "accumulate-grad-batches", "update-freq",
        "grad-accum"}},
      {"epochs", {"max-epochs", "num-epochs", "n-epochs"}},
      {"max-steps", {"max-iter", "max-iters", "iterations", "num-steps", "steps"}},
      {"run-dir",
       {"output-dir", "out-dir", "out", "output", "save-dir", "log-dir", "logdir", "checkpoint-dir", "exp-name", "name",
        "experiment"}},
      {"resume", {"checkpoint", "ckpt", "ckpt-path", "resume-from", "resume-from-checkpoint", "load"}},
      {"init",
       {"pretrained", "weights", "finetune", "init-weights", "pretrained-weights", "pretrained-feature-extractor"}},
      {"snapshot-every",
       {"save-every", "save-freq", "save-interval", "ckpt-freq", "checkpoint-every", "checkpoint-freq", "saveckp-freq",
        "checkpoint-frequency"}},
      {"evaluate-every", {"eval-every", "eval-freq", "eval-interval", "val-every", "check-val-every-n-epoch"}},
      {"device", {"gpu", "gpus", "devices", "num-gpus", "accelerator", "cuda"}},
      {"precision", {"amp", "fp16", "bf16", "fp16-precision", "mixed-precision", "use-fp16", "dtype"}},
      {"threads", {"num-threads", "cpu-threads", "omp-num-threads"}},
      {"loader-threads", {"workers", "num-workers", "j", "n-workers", "data-workers", "loader-workers"}},
      {"data",
       {"data-dir", "data-path", "data-root", "dataset", "train-dir", "train-path", "train-data", "root", "input-dir",
        "datadir"}},
      {"data-kind", {"data-format", "dataset-type"}},
      {"eval-data", {"val-dir", "val-path", "val-data", "test-data", "validation-data"}},
      {"image-size", {"img-size", "input-size", "crop-size", "resolution", "size"}},
      {"views", {"aug", "augment", "augmentation", "augmentations", "aug-plus", "transform", "transforms"}},
      {"crop-area-min", {"crop-min", "min-scale", "crop-min-scale", "random-resized-crop-min"}},
      {"normalize", {"mean", "std", "normalization"}},
      {"encoder", {"arch", "a", "model", "backbone", "network", "net"}},
      {"width",
       {"dim", "moco-dim", "out-dim", "embedding-dim", "embed-dim", "feature-dim", "feat-dim", "proj-dim",
        "proj-output-dim", "projection-dim", "low-dim"}},
      {"head-hidden", {"mlp", "mlp-dim", "moco-mlp-dim", "hidden-dim", "proj-hidden-dim", "projection-hidden-dim"}},
      {"predictor-hidden", {"pred-hidden-dim", "pred-dim"}},
      {"key-momentum",
       {"moco-m", "m", "ema", "ema-momentum", "ema-decay", "momentum-teacher", "momentum-encoder", "base-momentum",
        "base-tau", "encoder-momentum", "alpha"}},
      {"momentum-schedule", {"moco-m-cos", "ema-schedule"}},
      {"sgd-momentum", {"momentum"}},
      {"key-momentum", {"momentum"}},
      {"objective", {"loss", "criterion", "method", "loss-function"}},
      {"tau", {"temperature", "temp", "t", "moco-t", "softmax-temperature", "tau-s"}},
      {"bank-rows",
       {"queue-size", "queue-length", "queue-len", "queue", "moco-k", "k", "memory-bank-size", "num-negatives",
        "n-negatives", "nce-k", "memory-size", "bank-size"}},
      {"rows-tau", {"mem-t", "memory-t", "tau-mem"}},
      {"rows-lr", {"memory-lr", "mem-lr"}},
      {"rows-weight-decay", {"mem-wd", "memory-wd"}},
      {"sampler", {"hard-negatives", "negative-sampler", "negative-sampling", "mining"}},
      {"lr", {"learning-rate", "base-lr", "base-learning-rate", "blr", "eta"}},
      {"min-lr", {"final-lr", "end-lr", "lr-min", "eta-min"}},
      {"warmup-epochs", {"warmup", "warm-up", "warmup-steps", "warm"}},
      {"optimizer", {"optim", "opt", "optimiser"}},
      {"weight-decay", {"wd", "decay", "l2"}},
      {"clip-norm", {"clip-grad", "grad-clip", "clip", "max-grad-norm", "gradient-clip-val", "clip-grad-norm"}},
      {"knn-k", {"nb-knn", "k-nn", "knn"}},
      {"knn-temperature", {"knn-t"}},
      {"check-collectives", {"debug", "detect-anomaly"}},
      {"collective-time-limit", {"timeout", "nccl-timeout", "dist-timeout"}}};
  return names;
}

struct MethodPreset {
  /// Letters and digits only.
  const char* method;
  const char* file;
};

constexpr MethodPreset kMethodPresets[] = {
    {"moco", "moco-v2"},   {"mocov1", "moco-v2"},       {"mocov2", "moco-v2"},        {"moco2", "moco-v2"},
    {"mocov3", "moco-v3"}, {"moco3", "moco-v3"},        {"simclr", "simclr"},         {"simclrv1", "simclr"},
    {"byol", "byol"},      {"mochi", "mochi"},          {"ownimages", "own-images"},  {"fashionmnist", "fashion-mnist"},
    {"adco", "adco"},      {"instdisc", "memory-bank"}, {"memorybank", "memory-bank"}};

constexpr const char* kPresetFolder = "launch/presets/";

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

}  // namespace

std::string flag_spelling(const std::string& typed) {
  // Without a dot npos + 1 is the beginning.
  std::string name = in_small_letters(typed.substr(typed.rfind('.') + 1));
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::vector<std::string> flags_known_as(const std::string& typed) {
  const std::string name = flag_spelling(typed);
  std::vector<std::string> ours;
  for (const KnownAs& flag : flag_names()) {
    if (std::find(flag.theirs.begin(), flag.theirs.end(), name) != flag.theirs.end()) ours.emplace_back(flag.ours);
  }
  return ours;
}

std::vector<std::string> flags_with_other_names() {
  std::vector<std::string> ours;
  for (const KnownAs& flag : flag_names()) ours.emplace_back(flag.ours);
  return ours;
}

std::string preset_of(const std::string& method) {
  std::string name = in_small_letters(method);
  name.erase(std::remove_if(name.begin(), name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }),
             name.end());
  for (const MethodPreset& preset : kMethodPresets) {
    if (name == preset.method) return std::string(kPresetFolder) + preset.file + ".ini";
  }
  return {};
}

}  // namespace negatron
