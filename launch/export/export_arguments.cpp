#include "launch/export/export_arguments.h"

#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "launch/pretrain/view_flags.h"

namespace negatron {

FlagTable export_flags(ExportArguments& request) {
  FlagTable table;
  table.words(&request.paths);
  table.group("What is written");
  table.add("format",
            one_of<WeightsFormat>(&request.format,
                                  {{"safetensors", WeightsFormat::kSafetensors}, {"torch", WeightsFormat::kTorch}}),
            "safetensors, or torch: a state dict that torch.load(FILE, weights_only=True) reads");
  table.add("head", &request.parts.head, "also the projection head, and the predictor if there is one");
  table.add("key", &request.parts.key_encoder, "also the key encoder, which --init-key takes");
  table.add("force", &request.force, "replace FILE where it exists");
  table.add("json", &request.json, "one JSON object instead of text");
  table.group("What snapshots of older versions do not say");
  table.add("normalize", normalization_field(&request.normalization),
            "what inputs were normalised with, as pretrain takes it; auto: as the snapshot says");
  table.add("image-size", within(&request.image_size, 0, kMostSide),
            "side of the views in pixels; 0: as the snapshot says");
  return table;
}

}  // namespace negatron
