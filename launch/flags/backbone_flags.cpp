#include "launch/flags/backbone_flags.h"

#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "runtime/encoders/registry.h"

namespace negatron {
namespace {

constexpr std::int64_t kMostStride = 64;
constexpr std::int64_t kMostPoolGrid = 256;

}  // namespace

void add_backbone_flags(FlagTable& table, BackboneOptions& backbone) {
  table.add("encoder", offering(&backbone.name, backbone_list()), backbone_names(), FlagRole::kNetwork);
  table.add("stem", offering(&backbone.stem, {"imagenet", "cifar"}),
            "of a resnet: imagenet, or cifar (3x3, stride 1, no pooling) for small images", FlagRole::kNetwork);
  table.add("encoder-norm", offering(&backbone.norm, {"auto", "batch", "group"}),
            "of a resnet: batch (over the samples of all ranks), group (nothing of a batch leaks); auto: batch",
            FlagRole::kNetwork);
  table.add("encoder-channels", within(&backbone.channels, 1, kMostWidth),
            "of conv: width of each stage (3x3 convolution, GroupNorm, ReLU)", FlagRole::kNetwork);
  table.add("encoder-strides", within(&backbone.strides, 1, kMostStride), "of conv: stride of each stage",
            FlagRole::kNetwork);
  table.add("encoder-groups", within(&backbone.groups, 1, kMostWidth), "groups of each GroupNorm", FlagRole::kNetwork);
  table.add("pool-grid", within(&backbone.pool_grid, 1, kMostPoolGrid),
            "of conv: features are averaged over a grid of this many cells a side", FlagRole::kNetwork);
}

}  // namespace negatron
