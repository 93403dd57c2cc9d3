#include "launch/pretrain/settings_difference.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "launch/pretrain/pretrain_flags.h"

namespace negatron::testing {
namespace {

SettingsDifference difference_of(std::string_view saved, std::string_view now) {
  PretrainArguments arguments;
  return compare_settings(saved, now, pretrain_flags(arguments));
}

TEST(SettingsDifference, TellsRefusalsFromChangesAndLeavesOutWhatDoesNotMatter) {
  const char* saved =
      "# Run\nepochs = 4\nlr = 0.06\nwidth = 16\n# sampler-options = \nthreads = 1\nresume = never\nold = 1\n";
  const char* now = "epochs = 4\nlr = 0.1\nwidth = 32\nsampler-options = n=3\nthreads = 2\nresume = auto\n";
  const SettingsDifference difference = difference_of(saved, now);
  EXPECT_EQ(difference.refused, std::vector<std::string>{"--width 16 -> 32"});
  EXPECT_EQ(difference.changed, (std::vector<std::string>{"--lr 0.06 -> 0.1", "--old 1 -> (not set)",
                                                          "--sampler-options (not set) -> n=3"}));
}

TEST(SettingsDifference, SnapshotsFromBeforeTheEncoderWasAChoiceAreOfConv) {
  const SettingsDifference same = difference_of("lr = 1\n", "encoder = conv\nstem = imagenet\nlr = 1\n");
  EXPECT_TRUE(same.refused.empty() && same.changed.empty());
  const SettingsDifference other = difference_of("lr = 1\n", "encoder = resnet18\nlr = 1\n");
  EXPECT_EQ(other.refused, std::vector<std::string>{"--encoder conv -> resnet18"});
}

TEST(SettingsDifference, AFlagThatCameLaterIsNoDifferenceAtItsDefault) {
  PretrainArguments now;
  const std::string ini = pretrain_flags(now).ini();
  std::string old = ini;
  for (const char* name : {"data-kind",  "data-channels",   "image-size",    "hue",
                           "normalize",  "optimizer",       "lars-trust",    "adam-beta1",
                           "adam-beta2", "clip-norm",       "accumulate",    "encoder",
                           "init",       "bad-images",      "feature-noise", "feature-dropout",
                           "tf32",       "cudnn-benchmark", "head-output",   "rows-optimizer"}) {
    const std::string line = std::string(name) + " = ";
    // What is not set is a comment.
    const std::size_t before = std::min(old.find("\n" + line), old.find("\n# " + line));
    ASSERT_NE(before, std::string::npos) << name;
    old.erase(before, old.find('\n', before + 1) - before);
  }
  EXPECT_EQ(difference_of(old, ini).changed, std::vector<std::string>{});
  EXPECT_EQ(difference_of(old, ini).refused, std::vector<std::string>{});
}

TEST(SettingsDifference, SnapshotsFromBeforeColoursHadViewsWithout) {
  PretrainArguments now;
  const std::string ini = pretrain_flags(now).ini();
  std::string old;
  for (const char* name : {"jitter", "brightness", "contrast", "blur"}) {
    const std::size_t begin = ini.find(std::string("\n") + name + " = ");
    old += ini.substr(begin + 1, ini.find('\n', begin + 1) - begin);
  }
  for (const std::string& change : difference_of(old, ini).changed) {
    for (const char* name : {"--views", "--saturation", "--hue", "--grey", "--solarise", "--second", "--normalize"}) {
      EXPECT_FALSE(change.starts_with(name)) << change;
    }
  }
}

TEST(SettingsDifference, SnapshotsFromBeforeFeaturesAreNotOfThem) {
  EXPECT_TRUE(difference_of("lr = 1\n", "lr = 1\nfeature-noise = 0\nfeature-dropout = 0\n").changed.empty());
  EXPECT_EQ(difference_of("feature-noise = 0.1\n", "feature-noise = 0\n").changed,
            std::vector<std::string>{"--feature-noise 0.1 -> 0"});
}

TEST(SettingsDifference, EveryFlagOfTheNetworkIsRefused) {
  for (const char* name : {"objective", "encoder", "stem", "encoder-norm", "encoder-channels", "encoder-strides",
                           "encoder-groups", "pool-grid", "head-hidden", "width"}) {
    const std::string flag = name;
    EXPECT_EQ(difference_of(flag + " = 1\n", flag + " = 2\n").refused,
              std::vector<std::string>{"--" + flag + " 1 -> 2"});
  }
  const SettingsDifference told = difference_of("head-norm = batch\n", "head-norm = none\n");
  EXPECT_TRUE(told.refused.empty());
  EXPECT_EQ(told.changed, std::vector<std::string>{"--head-norm batch -> none"});
}

TEST(SettingsDifference, ABareHoldoutWasTheLastImages) {
  EXPECT_TRUE(difference_of("holdout = 500\n", "holdout = last:500\n").changed.empty());
  EXPECT_EQ(difference_of("holdout = 500\n", "holdout = drawn:500\n").changed,
            std::vector<std::string>{"--holdout last:500 -> drawn:500"});
}

TEST(SettingsDifference, EqualOnesDifferInNothing) {
  const SettingsDifference difference = difference_of("a = 1\nb = x y\n", "b = x y\na = 1\n");
  EXPECT_TRUE(difference.refused.empty());
  EXPECT_TRUE(difference.changed.empty());
}

}  // namespace
}  // namespace negatron::testing
