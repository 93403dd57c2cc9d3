#include "launch/pretrain/pretrain_flags.h"

#include <algorithm>
#include <chrono>

#include "comm/communicator_options.h"
#include "launch/flags/byte_size.h"
#include "launch/flags/field_names.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "launch/pretrain/bank_flags.h"
#include "launch/pretrain/encoder_flags.h"
#include "launch/pretrain/view_flags.h"
#include "runtime/data/registry.h"
#include "samplers/negative_samplers/registry.h"
#include "samplers/objectives/registry.h"

namespace negatron {
namespace {

/// Learning rates, times any batch and any weight decay, stay within fp32.
constexpr double kLeastRate = 1e-30;
constexpr double kMostDecay = 1000.0;
/// Rows that each query looks at are gathered from all ranks.
constexpr std::int64_t kMostTelemetryRows = 65536;
/// Seconds: a millisecond, and kLongestTimeLimit.
constexpr double kLeastTimeLimit = 0.001;
constexpr double kMostTimeLimit = std::chrono::duration<double>(kLongestTimeLimit).count();
/// Seconds: a day.
constexpr double kMostTermGrace = 24.0 * 3600.0;

TypedField interval_field(RunInterval* field) {
  return {[field] { return text_of(*field); },
          [field](const std::string&, const std::string& text) { *field = parse_snapshot_interval(text); },
          {"1epoch", "10min", "never"}};
}

template <typename Description>
std::vector<std::string> method_names(const std::vector<Description>& descriptions) {
  std::vector<std::string> names;
  for (const Description& one : descriptions) names.push_back(one.name);
  return names;
}

/// A sampler or an objective. Who types the name of a method of the field is told which preset has its flags.
TypedField method_field(std::string* field, std::vector<std::string> names) {
  TypedField typed = offering(field, std::move(names));
  typed.read = [field, known = typed.offered](const std::string& flag, const std::string& name) {
    const std::string preset = preset_of(name);
    if (!preset.empty() && std::find(known.begin(), known.end(), name) == known.end()) {
      throw UsageError("--" + flag + " is '" + name + "', which is a method of several flags: --config " + preset +
                       " sets them.");
    }
    *field = name;
  };
  return typed;
}

TypedField source_field(std::optional<NegativeSource>* field) {
  return one_of<std::optional<NegativeSource>>(field,
                                               {{"auto", std::nullopt},
                                                {name_of(NegativeSource::kBank), NegativeSource::kBank},
                                                {name_of(NegativeSource::kBatch), NegativeSource::kBatch},
                                                {name_of(NegativeSource::kBankAndBatch), NegativeSource::kBankAndBatch},
                                                {name_of(NegativeSource::kNone), NegativeSource::kNone}});
}

void add_run_flags(FlagTable& table, PretrainArguments& request) {
  PretrainOptions& o = request.options;
  table.group("Run");
  table.add("run-dir", &request.run_directory,
            "directory of the run; must not hold one yet, unless --resume (default: runs/pretrain-DATE-TIME)",
            FlagRole::kThisStart);
  table.add("epochs", within(&o.epochs, 1, kMostEpochs), "passes over the training set");
  table.add("max-steps", within(&o.max_steps, 0, kMostCount),
            "end after so many steps, 0 for never; schedules still span all epochs", FlagRole::kThisStart);
  table.add("global-batch", within(&o.global_batch, 1, kMostBatch), "samples per step over all ranks");
  table.add("accumulate", within(&o.accumulate, 1, kMostBatch),
            "pass them through the encoders in so many parts, with the activations of one part in memory; bank, "
            "negatives and gradient are those of the whole batch");
  table.add(
      "batch-identities", within(&o.batch_identities, 0, kMostBatch),
      "so many labels in a batch with as many images of each (FaceNet), for losses by label; 0: batches at random");
  table.add("batch-order",
            one_of<BatchOrder>(&o.batch_order, {{"random", BatchOrder::kRandom}, {"similar", BatchOrder::kSimilar}}),
            "random, or similar: batches of samples that the encoder finds alike, so that their own negatives are hard "
            "(ABS)");
  table.add("batch-similar", within(&o.batch_similar, 0.0, 1.0),
            "with --batch-order similar, the share of a batch that is chosen for that in the last epoch; it grows from "
            "0 in the first one");
  table.add("drop-last", &o.drop_last, "leave out the last, smaller batch of each epoch");
  table.add("seed", seed_field(&o.seed),
            "of parameters, order, views and bank; equal seeds give equal runs on any number of ranks");
  table.add("device", one_of<at::DeviceType>(&o.device, {{"cpu", at::kCPU}, {"cuda", at::kCUDA}}),
            "cpu, or cuda: one GPU per rank", FlagRole::kSpeed);
  table.add(
      "precision",
      one_of<std::optional<Precision>>(
          &o.precision,
          {{"auto", std::nullopt}, {"fp32", Precision::kFp32}, {"bf16", Precision::kBf16}, {"fp64", Precision::kFp64}}),
      "auto (bf16 where the device has it, else fp32), bf16, fp32, fp64");
  table.add("tf32", &o.tf32,
            "on a GPU, with --precision fp32: convolutions multiply in TF32, of 10 bits (bf16 is faster)");
  table.add("cudnn-benchmark", &o.cudnn_benchmark,
            "on a GPU: try cuDNN's convolutions and keep the fastest; a resumed run may then differ in its last bits");
  table.add("threads", within(&o.threads, 0, kMostThreads), "compute threads per rank, 0 for its share of the cores",
            FlagRole::kSpeed);
  table.add("bank-threads", within(&o.bank_threads, -1, kMostThreads),
            "threads per rank that score the bank while the key encoder runs, on a CPU: 0 for none, -1 for the cores "
            "that --threads leaves free",
            FlagRole::kSpeed);
  table.add("cpu-isa", isa_field(&o.cpu_isa),
            "vector code that scores the bank on a CPU: auto (the best there is), amx-bf16, avx512-bf16, avx512, avx2, "
            "portable");
  table.add("max-skipped-steps", within(&o.max_skipped_steps, 0, kMostCount),
            "end when more steps in a row had a loss or gradient that is not finite", FlagRole::kThisStart);
  table.add("quiet", &request.quiet, "print errors only, and one line at the end; RUN-DIR/log holds the rest",
            FlagRole::kThisStart);
  table.add("dry-run", &request.dry_run,
            "print settings (as a file for --config), shapes and memory per rank, and leave", FlagRole::kCommand);
}

void add_snapshot_flags(FlagTable& table, PretrainArguments& request) {
  SnapshotSettings& s = request.options.snapshots;
  table.group("Snapshots (in RUN-DIR/snapshots; restored on any number of ranks)");
  table.add("snapshot-every", interval_field(&s.every),
            "steps (500), epochs (2epochs), minutes (10min), or never; one more at the end", FlagRole::kThisStart);
  table.add("keep", within(&s.keep, 2, kMostCount), "newest snapshots that stay, at least 2", FlagRole::kThisStart);
  table.add("keep-every", within(&s.keep_every, 0, kMostCount),
            "those of steps that are multiples of this stay for ever, 0 for none", FlagRole::kThisStart);
  table.add("resume", offering(&request.resume, {kResumeNewest, kResumeNever}),
            "auto (the newest snapshot of --run-dir, or a fresh start without one), the path of one, or never",
            FlagRole::kThisStart);
  table.add("on-usr1", one_of<bool>(&s.leaves_on_usr1, {{"exit", true}, {"continue", false}}),
            "after the snapshot that SIGUSR1 or SIGUSR2 asks for: exit (with code 75: start me again) or continue",
            FlagRole::kThisStart);
  table.add("on-term", one_of<bool>(&request.saves_on_term, {{"save", true}, {"leave", false}}),
            "at SIGTERM: save and leave, within --term-grace, or leave within a second; with code 143",
            FlagRole::kThisStart);
  table.add("term-grace", within(&request.term_grace, kLeastTimeLimit, kMostTermGrace),
            "seconds behind SIGTERM after which a rank that is not done ends unsaved; less than the scheduler waits "
            "until SIGKILL (Slurm, Kubernetes: 30)",
            FlagRole::kThisStart);
  table.add("bank", &request.bank, "a new run starts from the bank of this snapshot; everything else is fresh",
            FlagRole::kThisStart);
  table.add("convert-bank", &request.convert_bank, "take a bank that is stored in another --bank-dtype, rounded",
            FlagRole::kThisStart);
}

void add_data_flags(FlagTable& table, PretrainOptions& o) {
  table.group("Data");
  table.add("data", &o.data.path, "folder, file or pattern (shard-{000..099}.tar) of the images");
  table.add("data-kind", offering(&o.data.kind, image_source_list()), "how to read it: " + image_source_names());
  table.add("data-channels", one_of<std::int64_t>(&o.data.channels, {{"auto", 0}, {"1", 1}, {"3", 3}}),
            "1 (grey), 3 (colour), auto: as the images are");
  table.add("image-size", within(&o.data.view_side, 0, kMostSide),
            "side of the views in pixels, 0 for one that fits the images");
  table.add("bad-images", one_of<bool>(&o.skips_bad_images, {{"skip", true}, {"stop", false}}),
            "broken ones: skip (the next takes its place; more than 1 % end the run), stop", FlagRole::kThisStart);
  table.add("eval-data", &o.eval_data, "evaluate on these images instead of the test part", FlagRole::kThisStart);
  table.add("holdout", holdout_field(&o.holdout),
            "evaluate on so many training images, left out of training: drawn, the same share of each label; last:N "
            "for the last ones");
  table.add("loader-threads", within(&o.loader_threads, -1, kMostThreads),
            "background threads per rank that build batches, -1 for the cores that --threads leaves free (shared with "
            "--bank-threads), at least one",
            FlagRole::kSpeed);
  table.add(
      "views-on", one_of<bool>(&o.views_on_device, {{"host", false}, {"device", true}}),
      "where views are made: host (by the loader's threads), or device (where they are trained on, of the bytes of "
      "the images: for a GPU beside few cores); equal to rounding",
      FlagRole::kSpeed);
  table.add("data-memory", byte_size_field(&o.data_memory),
            "memory per rank for images and for batches that wait: 2GiB, 500MiB", FlagRole::kThisStart);
}

void add_contrast_flags(FlagTable& table, PretrainOptions& o) {
  table.group("Bank and objective");
  table.add("objective", method_field(&o.objective, method_names(objective_descriptions())),
            "loss; --list-objectives shows all", FlagRole::kNetwork);
  table.add("objective-options", &o.objective_options, "its own options: name=value,name=value");
  table.add("negatives", source_field(&o.negatives),
            "bank, batch (the other views of all ranks), bank-and-batch, none; auto: as the objective is known");
  table.add("sampler", method_field(&o.sampler, method_names(sampler_descriptions())),
            "which rows of the bank a query meets; --list-samplers shows all");
  table.add("sampler-options", &o.sampler_options, "its own options: name=value,name=value");
  table.add("allow-oracle", &o.allow_oracle, "let a sampler see labels (analysis only)");
  table.add("sample-counts", &o.sample_counts,
            "file with how often each training sample was counted, a number a line (--sampler popularity)");
  table.add("sample-types", &o.sample_types, "file with the type (modality) of each training sample, a number a line");
  table.add("symmetric", &o.symmetric, "also contrast the views the other way round, as BYOL does");
  table.add("predictor-hidden", within(&o.predictor_hidden, 1, kMostWidth),
            "hidden width of the predictor of objectives that have one");
  table.add("tau", within(&o.tau, kLeastTemperature, kMostTemperature), "temperature");
  table.add("learn-tau", &o.learn_tau, "learn the temperature from there");
  add_bank_flags(table, o);
}

void add_optimizer_flags(FlagTable& table, PretrainOptions& o) {
  table.group("Optimizer");
  table.add("lr", within(&o.learning_rate, kLeastRate, kMostRate),
            "learning rate for a global batch of 256; scaled linearly with the batch");
  table.add("min-lr", within(&o.minimum_learning_rate, 0.0, kMostRate), "where the cosine ends");
  table.add("warmup-epochs", within(&o.warmup_epochs, 0.0, static_cast<double>(kMostEpochs)),
            "epochs of linear warm-up");
  OptimizerOptions& a = o.optimizer;
  table.add(
      "optimizer",
      one_of<OptimizerKind>(
          &a.kind, {{"sgd", OptimizerKind::kSgd}, {"lars", OptimizerKind::kLars}, {"adamw", OptimizerKind::kAdamW}}),
      "sgd, lars (for large batches), adamw (for vision transformers)", FlagRole::kNetwork);
  table.add("sgd-momentum", within(&a.momentum, 0.0, 1.0), "momentum of SGD and LARS");
  table.add("weight-decay", within(&a.weight_decay, 0.0, kMostDecay),
            "on matrices and kernels; none on norms, biases, temperature");
  table.add("nesterov", &a.nesterov, "Nesterov momentum");
  table.add("lars-trust", within(&a.trust_coefficient, kLeastRate, kMostDecay),
            "of LARS: length of a step beside the tensor that takes it");
  table.add("adam-beta1", within(&a.beta1, 0.0, 1.0), "of AdamW: what the mean of gradients keeps each step");
  table.add("adam-beta2", within(&a.beta2, 0.0, 1.0), "of AdamW: what the mean of their squares keeps");
  table.add("clip-norm", within(&a.clip_norm, 0.0, kMostRate), "largest 2-norm of all gradients together, 0 for none");
}

void add_evaluation_flags(FlagTable& table, PretrainArguments& request) {
  PretrainOptions& o = request.options;
  table.group("Evaluation (weighted kNN on backbone features)");
  table.add("knn-k", within(&o.knn_k, 1, kMostCount), "neighbours that vote", FlagRole::kThisStart);
  table.add("knn-temperature", within(&o.knn_temperature, kLeastTemperature, kMostTemperature),
            "votes weigh exp(similarity / this)", FlagRole::kThisStart);
  table.add("baselines", &o.baselines, "evaluate raw pixels and random weights first, to compare with",
            FlagRole::kThisStart);
  table.add("evaluate-every", within(&o.evaluate_every, 0, kMostEpochs),
            "epochs between evaluations, 0 for only before and after", FlagRole::kThisStart);
  table.add("evaluate-index", within(&o.evaluate_index, 0, kMostCount),
            "training images that vote in evaluations on the way, 0 for all", FlagRole::kThisStart);
  table.add("evaluate-queries", within(&o.evaluate_queries, 0, kMostCount),
            "test images classified in evaluations on the way, 0 for all", FlagRole::kThisStart);
  table.add("telemetry-every", within(&o.telemetry_every, 0, kMostCount),
            "steps between looks at the hard set, 0 for never", FlagRole::kThisStart);
  table.add("telemetry-top", within(&o.telemetry_top, 1, kMostTelemetryRows), "how many rows a query are looked at",
            FlagRole::kThisStart);
  table.add("tensorboard", &o.tensorboard, "write RUN-DIR/tensorboard for TensorBoard, beside metrics.jsonl",
            FlagRole::kThisStart);
  table.group("Collectives");
  table.add("check-collectives", &request.check_collectives,
            "compare every collective over the ranks first (slow; finds bugs)", FlagRole::kThisStart);
  table.add("collective-time-limit", within(&request.collective_time_limit, kLeastTimeLimit, kMostTimeLimit),
            "seconds until an unfinished collective ends the job", FlagRole::kThisStart);
}

}  // namespace

TypedField holdout_field(Holdout* field) {
  return {[field] { return text_of(*field); },
          [field](const std::string&, const std::string& text) { *field = parse_holdout(text); }};
}

FlagTable pretrain_flags(PretrainArguments& request) {
  FlagTable table;
  add_run_flags(table, request);
  add_snapshot_flags(table, request);
  add_data_flags(table, request.options);
  add_view_flags(table, request.options);
  add_encoder_flags(table, request.options);
  add_contrast_flags(table, request.options);
  add_optimizer_flags(table, request.options);
  add_evaluation_flags(table, request);
  return table;
}

}  // namespace negatron
