#include "runtime/data/sources/folder_source.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

using Names = std::vector<std::string>;

class FolderSourceTest : public ::testing::Test {
 protected:
  /// A colour image of 6 x 5 + `number` % 2, of that number.
  void write(const std::string& name, std::int64_t number, std::int64_t channels = 3) {
    write_png(folder_ / name, image_of(number, channels));
  }
  static at::Tensor image_of(std::int64_t number, std::int64_t channels = 3) {
    return numbered_image(number, channels, 6, 5 + number % 2);
  }
  std::shared_ptr<const ImageSource> open(const std::string& part = "") {
    return open_images({(folder_ / part).string()});
  }
  std::string refusal() {
    try {
      const std::shared_ptr<const ImageSource> source = open();
      source->test_part();
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory folder_;
};

TEST_F(FolderSourceTest, FoldersAreClassesInTheOrderOfTheirNames) {
  write("dogs/deep/er/1.png", 3);
  write("cats/b.PNG", 2);
  write("cats/a.png", 1);
  write("Zebras/x.png", 0);
  std::filesystem::create_directory(folder_ / "empty");
  write_bytes(folder_ / "notes.txt", "not an image");
  ASSERT_TRUE(FolderSource::recognises(folder_.path()));
  const auto source = open();
  EXPECT_EQ(source->size(), 4);
  EXPECT_EQ(source->channels(), 3);
  EXPECT_EQ(source->label_names(), (Names{"Zebras", "cats", "dogs"}));
  EXPECT_TRUE(source->labels().equal(at::tensor({0, 1, 1, 2}, at::kLong)));
  EXPECT_EQ(source->test_part(), nullptr);
  EXPECT_EQ(source->bytes_in_memory(), 0);
  EXPECT_GT(source->bytes_of_index(), 0);
  const DecodedImages images = source->load(at::arange(4, at::kLong));
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_TRUE(images.image(i).squeeze(0).equal(image_of(i))) << i;
}

TEST_F(FolderSourceTest, WithoutSeveralFoldersOrWithImagesBesideThemThereAreNoLabels) {
  write("one/a.png", 0);
  write("one/b.png", 1);
  EXPECT_FALSE(open()->has_labels());
  write("two/a.png", 0);
  EXPECT_TRUE(open()->has_labels());
  write("beside.png", 0);
  EXPECT_FALSE(open()->has_labels());
  EXPECT_EQ(open()->size(), 4);
}

TEST_F(FolderSourceTest, FollowsLinksButNotInARing) {
  write("cats/a.png", 0);
  write("dogs/a.png", 1);
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "cats" / "ring");
  std::filesystem::create_directory_symlink(folder_ / "cats", folder_ / "felines");
  std::filesystem::create_symlink(folder_ / "dogs" / "a.png", folder_ / "dogs" / "b.png");
  const auto source = open();
  EXPECT_EQ(source->size(), 3);
  EXPECT_EQ(source->label_names(), (Names{"cats", "dogs"}));
}

TEST_F(FolderSourceTest, TakesOddNamesAndLeavesOutHiddenOnes) {
  const std::string odd = "a b'\"\xc3\xa4\n%s$(x).png";
  write("cats/" + odd, 1);
  write("cats/.hidden.png", 0);
  write(".cache/a.png", 0);
  write("dogs/.png", 0);
  const auto source = open();
  EXPECT_EQ(source->size(), 1);
  EXPECT_TRUE(source->load(at::zeros({1}, at::kLong)).image(0).squeeze(0).equal(image_of(1)));
}

TEST_F(FolderSourceTest, HasTheTestPartOfImageNetsLayout) {
  write("train/cats/a.png", 0);
  write("train/dogs/a.png", 1);
  write("train/owls/a.png", 1);
  write("val/owls/b.png", 2);
  const auto source = open();
  EXPECT_EQ(source->size(), 3);
  const auto test = source->test_part();
  ASSERT_NE(test, nullptr);
  // The number that owls have among the training images.
  EXPECT_TRUE(test->labels().equal(at::tensor({2}, at::kLong)));
  EXPECT_EQ(test->label_names(), source->label_names());
  write("val/bats/b.png", 2);
  const std::string message = refusal();
  EXPECT_NE(message.find("val/bats' is a class that the training images have not"), std::string::npos) << message;
}

TEST_F(FolderSourceTest, TrainBesideOtherFoldersIsAClass) {
  write("train/a.png", 0);
  EXPECT_EQ(open()->size(), 1);
  write("bus/a.png", 1);
  const auto source = open();
  EXPECT_EQ(source->label_names(), (Names{"bus", "train"}));
}

TEST_F(FolderSourceTest, ChoosesChannelsAndViewsByTheHeads) {
  write("a.png", 0, 1);
  write("b.png", 2, 1);
  auto source = open();
  EXPECT_EQ(source->channels(), 1);
  EXPECT_EQ(source->view_size(), (ImageSize{6, 5}));
  write("c.png", 1, 3);
  write_png(folder_ / "d.png", numbered_image(0, 1, 50, 70));
  write_png(folder_ / "e.png", numbered_image(0, 1, 60, 40));
  write_png(folder_ / "f.png", numbered_image(0, 1, 43, 70));
  source = open();
  EXPECT_EQ(source->channels(), 3);
  // The shorter sides are 5, 6, 5, 50, 40, 43: 40 is in the middle.
  EXPECT_EQ(source->view_size(), (ImageSize{40, 40}));
  SourceOptions options{folder_.path()};
  options.channels = 1;
  options.view_side = 24;
  source = open_images(options);
  EXPECT_EQ(source->view_size(), (ImageSize{24, 24}));
  EXPECT_EQ(source->load(at::zeros({1}, at::kLong)).together().size(1), 1);
}

TEST_F(FolderSourceTest, SaysWhichFileIsBroken) {
  write("cats/a.png", 0);
  write("dogs/a.png", 1);
  write_bytes(folder_ / "dogs" / "b.png", "");
  std::filesystem::create_symlink(folder_ / "nowhere.png", folder_ / "dogs" / "c.png");
  const auto source = open();
  EXPECT_EQ(source->size(), 4);
  for (const auto& [id, name] : {std::pair{2, "dogs/b.png' is empty"}, std::pair{3, "dogs/c.png' cannot be read"}}) {
    try {
      source->load(at::full({1}, id, at::kLong));
      FAIL() << name;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

TEST_F(FolderSourceTest, TellsAFolderThatIsAnother) {
  write("cats/a.png", 0);
  write("dogs/a.png", 1);
  const std::string before = open()->fingerprint();
  EXPECT_EQ(open()->fingerprint(), before);
  write_png(folder_ / "dogs" / "a.png", numbered_image(1, 3, 60, 50));
  const std::string other_size = open()->fingerprint();
  EXPECT_NE(other_size, before);
  std::filesystem::rename(folder_ / "dogs" / "a.png", folder_ / "dogs" / "b.png");
  EXPECT_NE(open()->fingerprint(), other_size);
}

}  // namespace
}  // namespace negatron::testing
