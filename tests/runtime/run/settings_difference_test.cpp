#include "runtime/run/settings_difference.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(SettingsDifference, TellsRefusalsFromChangesAndLeavesOutWhatDoesNotMatter) {
  const char* saved =
      "# Run\nepochs = 4\nlr = 0.06\nwidth = 16\n# sampler-options = \nthreads = 1\nresume = never\nold = 1\n";
  const char* now = "epochs = 4\nlr = 0.1\nwidth = 32\nsampler-options = n=3\nthreads = 2\nresume = auto\n";
  const SettingsDifference difference = compare_settings(saved, now);
  EXPECT_EQ(difference.refused, std::vector<std::string>{"--width 16 -> 32"});
  EXPECT_EQ(difference.changed, (std::vector<std::string>{"--lr 0.06 -> 0.1", "--old 1 -> (not set)",
                                                          "--sampler-options (not set) -> n=3"}));
}

TEST(SettingsDifference, SnapshotsFromBeforeTheEncoderWasAChoiceAreOfConv) {
  const SettingsDifference same = compare_settings("lr = 1\n", "encoder = conv\nstem = imagenet\nlr = 1\n");
  EXPECT_TRUE(same.refused.empty() && same.changed.empty());
  const SettingsDifference other = compare_settings("lr = 1\n", "encoder = resnet18\nlr = 1\n");
  EXPECT_EQ(other.refused, std::vector<std::string>{"--encoder conv -> resnet18"});
}

TEST(SettingsDifference, EqualOnesDifferInNothing) {
  const SettingsDifference difference = compare_settings("a = 1\nb = x y\n", "b = x y\na = 1\n");
  EXPECT_TRUE(difference.refused.empty());
  EXPECT_TRUE(difference.changed.empty());
}

}  // namespace
}  // namespace negatron::testing
