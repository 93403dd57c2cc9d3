#include "runtime/encoders/registry.h"

#include <gtest/gtest.h>

namespace negatron {
namespace {

/// An encoder with an option, which makes nothing.
struct Unmade {
  static BackboneDescription describe() {
    return {"unmade", "one that nobody makes", {{"patch", std::int64_t{4}, "pixels a side", 1, 16}}};
  }
  static void check(const BackboneArguments& arguments) {
    if (arguments.options.count("patch") == 3) throw std::invalid_argument("patch must not be 3");
  }
};

std::shared_ptr<Backbone> make_nothing(const BackboneArguments& /*arguments*/) {
  return nullptr;
}

std::string why_refused(const std::string& name) {
  BackboneOptions options;
  options.name = name;
  try {
    options.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(BackboneRegistry, ListsTheNamesInWords) {
  EXPECT_EQ(
      backbone_names(),
      "conv, or one with torchvision's parameter names: resnet18, resnet34, resnet50, resnet101, wide_resnet50_2, "
      "resnext50_32x4d, or a vision transformer with timm's parameter names: vit_tiny, vit_small, vit_base, or "
      "for features: mlp, or a TorchScript module: script:PATH");
}

TEST(BackboneRegistry, AnEncoderWithoutOptionsTakesNone) {
  EXPECT_EQ(why_refused("conv:"), "accepted");
  EXPECT_EQ(why_refused("conv:width=3"), "--encoder conv has no options, but 'width' was given.");
}

TEST(BackboneRegistry, OptionsStandBehindTheNameOfAnEncoderThatWasAdded) {
  EXPECT_NE(why_refused("unmade").find("--encoder is 'unmade', expected one of: conv"), std::string::npos);
  const AddedBackbone added({Unmade::describe(), &Unmade::check, &make_nothing});
  EXPECT_EQ(why_refused("unmade"), "accepted");
  EXPECT_EQ(why_refused("unmade:patch=8"), "accepted");
  EXPECT_EQ(why_refused("unmade:patch=3"), "patch must not be 3");
  EXPECT_NE(why_refused("unmade:patch=17").find("--encoder unmade: option 'patch'"), std::string::npos);
  EXPECT_NE(why_refused("unmade:path=8").find("did you mean 'patch'"), std::string::npos);
  EXPECT_NE(backbone_names().find(", or one that nobody makes: unmade"), std::string::npos);
  BackboneOptions flags;
  flags.name = "unmade:patch=8";
  EXPECT_EQ(choose_backbone(flags).arguments.options.count("patch"), 8);
}

}  // namespace
}  // namespace negatron
