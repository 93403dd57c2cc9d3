#include "runtime/encoders/backbone_options.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/resnet.h"

namespace negatron {
namespace {

std::string refusal(const BackboneOptions& options) {
  try {
    options.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(BackboneOptions, RefuseUnknownNamesWithTheNearest) {
  EXPECT_EQ(
      refusal({.name = "resnet-18"}),
      "--encoder is 'resnet-18', expected one of: conv, resnet18, resnet34, resnet50, resnet101, wide_resnet50_2, "
      "resnext50_32x4d, vit_tiny, vit_small, vit_base, mlp, script; did you mean resnet18?");
  EXPECT_EQ(refusal({.name = "resnet18", .stem = "cifar10"}),
            "--stem is 'cifar10', expected one of: imagenet, cifar; did you mean cifar?");
  EXPECT_EQ(refusal({.name = "resnet18", .norm = "groups"}),
            "--encoder-norm is 'groups', expected one of: auto, batch, group; did you mean group?");
}

TEST(BackboneOptions, RefuseWhatTheEncoderHasNot) {
  EXPECT_NE(refusal({.stem = "cifar"}).find("--stem"), std::string::npos);
  EXPECT_NE(refusal({.norm = "batch"}).find("--encoder-norm"), std::string::npos);
  EXPECT_NE(refusal({.pool_grid = 0}).find("--pool-grid"), std::string::npos);
  EXPECT_NE(refusal({.name = "resnet18", .norm = "group", .groups = 7}).find("--encoder-groups"), std::string::npos);
  EXPECT_EQ(refusal({.name = "resnet18", .stem = "cifar", .norm = "batch", .groups = 7}), "accepted");
  EXPECT_EQ(refusal({.norm = "group"}), "accepted");
}

TEST(BackboneOptions, DecideTheNetwork) {
  run_ranks(1, {}, [](Communicator& comm) {
    const auto width = [&comm](const BackboneOptions& options) {
      return make_backbone(options, 3, &comm)->feature_width();
    };
    EXPECT_EQ(width({}), 1024);
    EXPECT_EQ(width({.name = "resnet18"}), 512);
    EXPECT_EQ(width({.name = "resnet34"}), 512);
    EXPECT_EQ(width({.name = "resnet50"}), 2048);
    EXPECT_EQ(width({.name = "wide_resnet50_2"}), 2048);
    EXPECT_EQ(width({.name = "resnext50_32x4d"}), 2048);
    const auto tensors = [&comm](const BackboneOptions& options) {
      const auto network = make_backbone(options, 3, &comm);
      return network->parameters().size() + network->buffers().size();
    };
    EXPECT_EQ(tensors({.name = "resnet18"}), 120U);
    EXPECT_EQ(tensors({.name = "resnet18", .norm = "group"}), 60U);
    const auto kernel = [&comm](const BackboneOptions& options) {
      return make_backbone(options, 2, &comm)->named_parameters()["conv1.weight"].sizes().vec();
    };
    EXPECT_EQ(kernel({.name = "resnet18"}), (std::vector<std::int64_t>{64, 2, 7, 7}));
    EXPECT_EQ(kernel({.name = "resnet18", .stem = "cifar"}), (std::vector<std::int64_t>{64, 2, 3, 3}));
    EXPECT_EQ(kernel({}), (std::vector<std::int64_t>{64, 2, 3, 3}));
  });
}

}  // namespace
}  // namespace negatron
