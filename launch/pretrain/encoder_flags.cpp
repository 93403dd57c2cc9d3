#include "launch/pretrain/encoder_flags.h"

#include "launch/flags/backbone_flags.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"

namespace negatron {

void add_encoder_flags(FlagTable& table, PretrainOptions& options) {
  table.group("Encoder");
  add_backbone_flags(table, options.encoder);
  table.add(
      "init", &options.init.file,
      "weights of the encoder at the start, by name: a safetensors file, or torch.save's of a state dict or checkpoint",
      FlagRole::kThisStart);
  table.add("init-key", &options.init.key_file, "those of the key encoder; without it, the same as the query encoder's",
            FlagRole::kThisStart);
  table.add("init-adapt-channels", &options.init.adapt_channels,
            "a first convolution over 3 channels may become one over a single channel: its kernels are added up",
            FlagRole::kThisStart);
  table.add("head-hidden", within(&options.head.hidden, 1, kMostWidth), "hidden width of the projection head",
            FlagRole::kNetwork);
  table.add(
      "head-norm",
      one_of<std::optional<HeadNorm>>(&options.head_norm,
                                      {{"auto", std::nullopt}, {"none", HeadNorm::kNone}, {"batch", HeadNorm::kBatch}}),
      "batch (batch norm over the samples of all ranks, in head and predictor), none; auto: batch with a predictor");
  table.add("width", within(&options.head.output, 1, kMostWidth), "d, width of queries, keys and bank rows",
            FlagRole::kNetwork);
  table.add(
      "head-output",
      one_of<RowLength>(&options.head.length,
                        {{"unit", RowLength::kUnit}, {"raw", RowLength::kAsMade}, {"distance", RowLength::kDistance}}),
      "unit (the head divides its rows by their length: scores are cosines), raw (it does not: scores are inner "
      "products, as N-pair, NEG and NCE were made for), or distance (it does not, and scores are squared distances: "
      "-|q - n|^2 / 2, over --tau)",
      FlagRole::kNetwork);
  table.add("key-momentum", within(&options.momentum_start, 0.0, 1.0), "m of the key encoder: k <- m k + (1 - m) q");
  table.add("momentum-schedule",
            one_of<MomentumSchedule>(&options.momentum_schedule, {{"constant", MomentumSchedule::kConstant},
                                                                  {"cosine", MomentumSchedule::kCosine}}),
            "constant, or cosine: from --key-momentum to 1");
}

}  // namespace negatron
