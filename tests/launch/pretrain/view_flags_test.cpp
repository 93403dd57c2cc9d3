#include "launch/pretrain/view_flags.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "launch/exit_code.h"
#include "launch/pretrain/pretrain_flags.h"
#include "runtime/data/normalization_text.h"

namespace negatron::testing {
namespace {

class ViewFlags : public ::testing::Test {
 protected:
  ~ViewFlags() override { std::filesystem::remove(path_); }

  /// With a configuration file of these lines behind the arguments, if there are any.
  PretrainOptions parsed(std::vector<std::string> arguments, const std::string& lines = "") {
    if (!lines.empty()) {
      std::ofstream(path_) << lines;
      arguments.insert(arguments.begin(), {"--config", path_.string()});
    }
    PretrainArguments request;
    FlagTable table = pretrain_flags(request);
    table.parse(arguments);
    ini_ = table.ini();
    return request.options;
  }

  std::string refusal(const std::vector<std::string>& arguments) {
    try {
      parsed(arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::filesystem::path path_ =
      std::filesystem::path(::testing::TempDir()) / ("view-flags-" + std::to_string(getpid()) + ".ini");
  std::string ini_;
};

TEST_F(ViewFlags, WithoutARecipeAreThoseOfOlderRuns) {
  const AugmentationOptions views = parsed({}).augmentation;
  EXPECT_EQ(views.crop_area_min, 0.2);
  EXPECT_EQ(views.brightness, 0.4);
  EXPECT_EQ(views.saturation, 0.0);
  EXPECT_EQ(views.blur_probability, 0.0);
  EXPECT_EQ(views.grey_probability, 0.0);
  EXPECT_NE(ini_.find("\n# views = \n"), std::string::npos);
}

TEST_F(ViewFlags, SayWhereViewsAreMade) {
  const auto is_on_device = [this](const std::vector<std::string>& arguments, const std::string& lines = "") {
    return parsed(arguments, lines).views_on_device;
  };
  EXPECT_FALSE(is_on_device({}));
  EXPECT_TRUE(is_on_device({"--views-on", "device"}));
  // A recipe is of views and not of places.
  EXPECT_TRUE(is_on_device({"--views", "simclr"}, "views-on = device\n"));
}

TEST_F(ViewFlags, OfARecipeGiveWayToSingleOnesInAnyOrder) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--views", "simclr", "--hue", "0.05"}, {"--hue", "0.05", "--views", "simclr"}}) {
    const AugmentationOptions views = parsed(arguments).augmentation;
    EXPECT_EQ(views.hue, 0.05);
    EXPECT_EQ(views.saturation, 0.8);
    EXPECT_EQ(views.crop_area_min, 0.08);
  }
}

TEST_F(ViewFlags, AreAllNamedInTheConfigurationWhichReadsBack) {
  parsed({"--views", "byol", "--second-blur", "0.3"});
  const std::string resolved = ini_;
  for (const char* line : {"views = byol", "blur = 1", "second-blur = 0.3", "second-solarise = 0.2", "solarise = 0",
                           "saturation = 0.2", "hue = 0.1", "grey = 0.2", "blur-sigma-max = 2"}) {
    EXPECT_NE(resolved.find(std::string("\n") + line + "\n"), std::string::npos) << line;
  }
  const PretrainOptions read = parsed({}, resolved);
  EXPECT_EQ(ini_, resolved);
  EXPECT_EQ(read.augmentation.second_blur_probability, 0.3);
}

TEST_F(ViewFlags, OfTheFileAreThoseOfItsRecipeOrOfTheCommandLine) {
  const std::string file = "views = byol\nblur = 0.7\nflip = 0.1\nepochs = 3\n";
  const PretrainOptions of_file = parsed({}, file);
  EXPECT_EQ(of_file.augmentation.blur_probability, 0.7);
  EXPECT_EQ(of_file.augmentation.saturation, 0.2);
  const PretrainOptions single = parsed({"--saturation", "0.3"}, file);
  EXPECT_EQ(single.augmentation.saturation, 0.3);
  EXPECT_EQ(single.augmentation.blur_probability, 0.7);
  const PretrainOptions recipe = parsed({"--views", "none", "--hue", "0.4"}, file);
  EXPECT_EQ(recipe.views, "none");
  EXPECT_EQ(recipe.augmentation.blur_probability, 0.0);
  EXPECT_EQ(recipe.augmentation.flip_probability, 0.0);
  EXPECT_EQ(recipe.augmentation.hue, 0.4);
  EXPECT_EQ(recipe.epochs, 3) << "a recipe stands for its group alone";
}

TEST_F(ViewFlags, SayWhatTheyTake) {
  EXPECT_EQ(refusal({"--views", "moco"}), "--views is 'moco', expected one of: moco-v2, simclr, byol, grey, none.");
  EXPECT_EQ(refusal({"--second-blur", "often"}), "--second-blur takes a number from 0 to 1 or 'same', not 'often'.");
  EXPECT_EQ(parsed({"--views", "byol", "--second-blur", "same"}).augmentation.effects_of(1).blur_probability, 1.0);
}

TEST_F(ViewFlags, NormaliseAsTheySay) {
  EXPECT_FALSE(parsed({}).normalization.has_value());
  EXPECT_NE(ini_.find("\nnormalize = auto\n"), std::string::npos);
  EXPECT_EQ(parsed({"--normalize", "imagenet"}).normalization, imagenet_normalization());
  EXPECT_NE(ini_.find("\nnormalize = imagenet\n"), std::string::npos);
  EXPECT_EQ(parsed({"--normalize", "0.5;0.25"}).normalization, Normalization(0.5, 0.25));
  EXPECT_EQ(parsed({}, std::string(ini_)).normalization, Normalization(0.5, 0.25));
  EXPECT_EQ(refusal({"--normalize", "0.5"}),
            "--normalize takes auto, imagenet, or as many means as deviations above 0, MEANS;DEVIATIONS such as "
            "'0.485,0.456,0.406;0.229,0.224,0.225', not '0.5'.");
}

}  // namespace
}  // namespace negatron::testing
