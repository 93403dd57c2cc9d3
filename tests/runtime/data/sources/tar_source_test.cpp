#include "runtime/data/sources/tar_source.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/tar_index.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

at::Tensor shard_image(std::int64_t number) {
  return numbered_image(number, 3, 5, 6);
}

/// One sample of a shard: an image, with its number as its label if asked for.
std::string sample(std::int64_t number, const std::string& label_ending = "cls") {
  const std::string key = "./sample" + std::to_string(number);
  const std::string image = tar_member(key + ".PNG", png_bytes(shard_image(number)));
  if (label_ending.empty()) return image;
  const std::string label = std::to_string(number);
  const std::string text = label_ending == "json" ? "{\"text\": \"x\", \"label\": " + label + "}" : label + "\n";
  return image + tar_member(key + "." + label_ending, text);
}

std::string refusal_of_tar(const std::filesystem::path& path) {
  try {
    open_images({path});
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(TarSource, ReadsAnySampleOfAnyShard) {
  const TemporaryDirectory folder;
  write_bytes(folder / "s-000.tar", sample(0) + sample(1, "json") + tar_end());
  write_bytes(folder / "s-001.tar", tar_member("__info.txt", "x") + sample(2) + tar_end());
  for (const std::string& path :
       {folder.path().string(), (folder / "s-{000..001}.tar").string(), (folder / "s-*.tar").string()}) {
    const auto source = open_images({path});
    EXPECT_EQ(source->size(), 3) << path;
    EXPECT_TRUE(source->labels().equal(at::arange(3, at::kLong)));
    EXPECT_EQ(source->bytes_in_memory(), 0);
    const at::Tensor images = source->load(at::tensor({2, 0, 1}, at::kLong)).together();
    for (const auto& [place, number] : {std::pair{0, 2}, {1, 0}, {2, 1}}) {
      EXPECT_TRUE(images[place].equal(shard_image(number))) << number;
    }
  }
}

TEST(TarSource, NeedsNoLabelsButNoneOrAll) {
  const TemporaryDirectory folder;
  write_bytes(folder / "a.tar", sample(0, "") + tar_member("sample1.cls", "1") + tar_member("other.txt", "x"));
  const auto source = open_images({folder / "a.tar"});
  EXPECT_EQ(source->size(), 1);
  EXPECT_FALSE(source->has_labels());
  write_bytes(folder / "b.tar", sample(0) + sample(1, ""));
  EXPECT_NE(refusal_of_tar(folder / "b.tar").find("has no label, but 1 others have"), std::string::npos);
  write_bytes(folder / "c.tar", tar_member("a.png", png_bytes(shard_image(0))) + tar_member("a.cls", "cat"));
  EXPECT_NE(refusal_of_tar(folder / "c.tar").find("label 'cat'"), std::string::npos);
}

TEST(TarSource, HasTheTestPartOfFolders) {
  const TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "train");
  std::filesystem::create_directories(folder / "val");
  write_bytes(folder / "train" / "0.tar", sample(0) + sample(1));
  write_bytes(folder / "val" / "0.tar", sample(2));
  const auto source = open_images({folder.path()});
  EXPECT_EQ(source->size(), 2);
  const auto test = source->test_part();
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->labels().item<int>(), 2);
}

TEST(TarIndex, IsKeptAndBelievedWhileTheShardIsTheSame) {
  const TemporaryDirectory folder;
  const std::filesystem::path shard = folder / "a.tar", index = folder / "a.tar.index";
  write_bytes(shard, sample(3) + sample(4));
  const std::vector<TarSample> first = tar_samples(shard);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].label, 4);
  ASSERT_TRUE(std::filesystem::exists(index));
  // That it is read shows by a line that it alone has.
  std::string text = read_bytes(index);
  const std::string last = std::to_string(first[1].offset) + " " + std::to_string(first[1].size) + " 4\n";
  ASSERT_NE(text.find(last), std::string::npos) << text;
  const std::string without_last = text.substr(0, text.find(last)) + "end\n";
  write_bytes(index, without_last);
  EXPECT_EQ(tar_samples(shard).size(), 1U);
  // Cut short, foreign, or of a place outside the shard: made anew.
  for (const std::string& broken : {text.substr(0, text.size() - 4), std::string("x"), std::string(),
                                    text.substr(0, text.find('\n')) + "\n99999999 10 0\nend\n"}) {
    write_bytes(index, broken);
    EXPECT_EQ(tar_samples(shard).size(), 2U);
    EXPECT_EQ(read_bytes(index), text);
  }
  // Another shard of the name.
  write_bytes(shard, sample(5));
  EXPECT_EQ(tar_samples(shard).size(), 1U);
  EXPECT_EQ(tar_samples(shard)[0].label, 5);
  const auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  EXPECT_EQ(files, 2) << "something was left behind";
}

TEST(TarIndex, IsMadeOfAllShardsByOneProcessForTheOthers) {
  const TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "train");
  std::filesystem::create_directories(folder / "val");
  write_bytes(folder / "train" / "0.tar", sample(0));
  write_bytes(folder / "train" / "1.tar", sample(1));
  write_bytes(folder / "val" / "0.tar", sample(2));
  prepare_images({folder.path().string()});
  for (const char* index : {"train/0.tar.index", "train/1.tar.index", "val/0.tar.index"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / index)) << index;
  }
  // What is wrong, opening says.
  prepare_images({(folder / "nowhere").string()});
  write_bytes(folder / "train" / "1.tar", sample(1).substr(0, 700));
  prepare_images({folder.path().string()});
  EXPECT_NE(refusal_of_tar(folder.path()).find("1.tar"), std::string::npos);
}

TEST(TarIndex, IsNotNeeded) {
  const TemporaryDirectory folder;
  write_bytes(folder / "a.tar", sample(3));
  // A folder in its place cannot be replaced by a file.
  std::filesystem::create_directories(folder / "a.tar.index" / "x");
  EXPECT_EQ(tar_samples(folder / "a.tar").size(), 1U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

}  // namespace
}  // namespace negatron::testing
