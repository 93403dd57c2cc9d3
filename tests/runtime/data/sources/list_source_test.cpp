#include "runtime/data/sources/list_source.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

class ListSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::int64_t i = 0; i < 3; ++i) {
      write_png(folder_ / "images" / (std::to_string(i) + " of 3.png"), numbered_image(i, 1, 4, 4));
    }
  }
  std::shared_ptr<const ImageSource> open(const std::string& text) {
    write_bytes(folder_ / "list.txt", text);
    return open_images({folder_ / "list.txt"});
  }
  std::string refusal(const std::string& text) {
    try {
      open(text);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory folder_;
};

TEST_F(ListSourceTest, ReadsPathsRelativeToItsFolderInItsOrder) {
  const auto source = open("images/2 of 3.png\r\n\n" + (folder_ / "images" / "0 of 3.png").string() + "\n");
  EXPECT_EQ(source->size(), 2);
  EXPECT_FALSE(source->has_labels());
  EXPECT_EQ(source->test_part(), nullptr);
  const at::Tensor images = source->load(at::arange(2, at::kLong)).together();
  EXPECT_TRUE(images[0].equal(numbered_image(2, 1, 4, 4)));
  EXPECT_TRUE(images[1].equal(numbered_image(0, 1, 4, 4)));
}

TEST_F(ListSourceTest, TakesLabelsBehindATabOrASpace) {
  const auto source = open("images/0 of 3.png 4\nimages/1 of 3.png\t0\nimages/2 of 3.png  12\n");
  EXPECT_TRUE(source->labels().equal(at::tensor({4, 0, 12}, at::kLong)));
  EXPECT_EQ(source->load(at::arange(3, at::kLong)).size(), 3);
}

TEST_F(ListSourceTest, NamesTheLineThatIsWrong) {
  const std::string some = refusal("images/0 of 3.png 1\n\nimages/1 of 3.png\n");
  EXPECT_NE(some.find("Line 3"), std::string::npos) << some;
  EXPECT_NE(some.find("has no label"), std::string::npos) << some;
  EXPECT_NE(refusal("images/0 of 3.png\nimages/1 of 3.png 1\n").find("Line 2"), std::string::npos);
  EXPECT_NE(refusal("images/0 of 3.png\tcat\n").find("label 'cat'"), std::string::npos);
  EXPECT_NE(refusal("images/0 of 3.png\t-1\n").find("label '-1'"), std::string::npos);
  EXPECT_NE(refusal("nothing.png\n").find("nothing.png"), std::string::npos);
  EXPECT_NE(refusal("\n").find("hold no images"), std::string::npos);
}

TEST_F(ListSourceTest, OtherLinesAreAnotherList) {
  const std::string one = open("images/0 of 3.png 0\n")->fingerprint();
  EXPECT_NE(open("images/0 of 3.png 1\n")->fingerprint(), one);
}

}  // namespace
}  // namespace negatron::testing
