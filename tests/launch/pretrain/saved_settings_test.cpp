#include "launch/pretrain/saved_settings.h"

#include <gtest/gtest.h>

#include "launch/pretrain/pretrain_flags.h"

namespace negatron::testing {
namespace {

TEST(SavedSettings, AreTheOptionsOfTheRunThatWroteThem) {
  PretrainArguments request;
  request.options.encoder.name = "resnet18";
  request.options.encoder.stem = "cifar";
  request.options.encoder.channels = {8, 16};
  request.options.tau = 0.07;
  request.options.normalization = Normalization({0.5, 0.4, 0.3}, {0.2, 0.2, 0.1});
  request.options.holdout = {20, true};
  request.options.views = "byol";
  request.options.augmentation.blur_probability = 0.25;
  const std::string ini = pretrain_flags(request).ini();
  PretrainArguments back;
  back.options = options_of(saved_settings(ini));
  EXPECT_EQ(pretrain_flags(back).ini(), ini);
}

TEST(SavedSettings, HoldPathsOfAnyBytes) {
  PretrainArguments request;
  request.options.data.path = "/a #b\n\"c\"\xff ";
  EXPECT_EQ(options_of(saved_settings(pretrain_flags(request).ini())).data.path, request.options.data.path);
  // Older versions wrote values as they are, and never a remark behind one.
  EXPECT_EQ(options_of(saved_settings("data = /a #b\n")).data.path, "/a #b");
  EXPECT_EQ(options_of(saved_settings("data = /say \"a\"\n")).data.path, "/say \"a\"");
}

TEST(SavedSettings, OfOtherVersionsMeanWhatTheyMeantThen) {
  const PretrainOptions options =
      options_of(saved_settings("holdout = 50\nof-the-future = 1\n# width = 7\nlr = 0.5\n"));
  EXPECT_EQ(options.holdout.count, 50);
  EXPECT_FALSE(options.holdout.drawn);
  EXPECT_EQ(options.encoder.name, "conv");
  EXPECT_EQ(options.learning_rate, 0.5);
  EXPECT_EQ(options.head.output, PretrainOptions{}.head.output);
}

}  // namespace
}  // namespace negatron::testing
