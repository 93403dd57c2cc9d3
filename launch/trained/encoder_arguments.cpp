#include "launch/trained/encoder_arguments.h"

#include "launch/exit_code.h"
#include "launch/flags/backbone_flags.h"
#include "launch/flags/byte_size.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "launch/pretrain/pretrain_flags.h"
#include "launch/pretrain/view_flags.h"
#include "runtime/data/registry.h"

namespace negatron {

void EncoderArguments::validate() const {
  if (!eval_data.empty() && holdout.count > 0) {
    throw UsageError("--eval-data and --holdout both say what is classified; leave one of them out.");
  }
}

void add_encoder_flags(FlagTable& table, EncoderArguments& request) {
  table.words(&request.paths);
  table.group("Data (without --data, those of the run)");
  table.add("data", &request.data.path, "folder, file or pattern (shard-{000..099}.tar) of the images");
  table.add("data-kind", &request.data.kind, "how to read it: " + image_source_names());
  table.add("eval-data", &request.eval_data, "classify these images instead of the test part");
  table.add("holdout", holdout_field(&request.holdout),
            "classify so many images of --data, which are left out of the others: drawn, the same share of each label");
  table.add("bad-images", one_of<bool>(&request.skips_bad_images, {{"skip", true}, {"stop", false}}),
            "broken ones: skip (the next takes its place; more than 1 % end it), stop");
  table.add("data-memory", byte_size_field(&request.data_memory), "memory per rank for images: 2GiB, 500MiB");
  table.group("Encoder (as the run had it, where nothing is said)");
  table.add("key", &request.key_encoder, "the key encoder in the place of the query encoder");
  add_backbone_flags(table, request.backbone);
  table.add("normalize", normalization_field(&request.normalization),
            "what inputs are normalised with, as pretrain takes it; auto: as the run, or as the images measure");
  table.add("image-size", within(&request.image_size, 0, kMostSide),
            "side of the inputs in pixels; 0: as the run had it");
  table.add("seed", seed_field(&request.seed), "of random weights, and of what is drawn");
  table.group("Machine");
  table.add("device", one_of<at::DeviceType>(&request.device, {{"cpu", at::kCPU}, {"cuda", at::kCUDA}}),
            "cpu, or cuda: one GPU per rank");
  table.add(
      "precision",
      one_of<std::optional<Precision>>(
          &request.precision,
          {{"auto", std::nullopt}, {"fp32", Precision::kFp32}, {"bf16", Precision::kBf16}, {"fp64", Precision::kFp64}}),
      "fp32, bf16, fp64; that of the run");
  table.add("threads", within(&request.threads, 0, kMostThreads),
            "compute threads per rank, 0 for its share of the cores");
  table.add("batch", within(&request.batch, 1, kMostBatch), "images per call of the encoder");
}

SettingValues settings_that_stand(SettingValues settings, const EncoderArguments& request) {
  // What means the machine or the path of a training run means nothing here.
  for (const char* name : {"threads", "device", "bad-images", "data-memory"}) settings.erase(name);
  // A run that left its baselines out spared itself the time before its first step, and has said nothing of what it is
  // compared with when it is done.
  settings.erase("baselines");
  if (request.data.path.empty()) return settings;
  for (const char* name : {"data", "data-kind", "eval-data", "holdout"}) settings.erase(name);
  return settings;
}

}  // namespace negatron
