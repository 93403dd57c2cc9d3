#include "runtime/data/sources/cifar_source.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

at::Tensor cifar_image(std::int64_t number) {
  return numbered_image(number, 3, 32, 32);
}

/// Records of the images from `first` on, with the labels `labels` of each, the image's number added to the last.
std::string records(std::int64_t first, std::int64_t count, const std::string& labels) {
  std::string bytes;
  for (std::int64_t i = first; i < first + count; ++i) {
    bytes += labels;
    bytes.back() = static_cast<char>(bytes.back() + i);
    const at::Tensor image = cifar_image(i);
    bytes.append(static_cast<const char*>(image.const_data_ptr()), image.nbytes());
  }
  return bytes;
}

std::string cifar_refusal(const std::filesystem::path& folder) {
  try {
    open_images({folder});
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(CifarSource, ReadsTheBatchesOfCifar10WhereTheyLie) {
  const TemporaryDirectory folder;
  write_bytes(folder / "data_batch_1.bin", records(0, 3, std::string(1, '\0')));
  write_bytes(folder / "data_batch_2.bin", records(3, 2, std::string(1, '\0')));
  write_bytes(folder / "test_batch.bin", records(5, 1, std::string(1, '\0')));
  write_bytes(folder / "batches.meta.txt", "a\nb\nc\nd\ne\nf\n\n");
  const auto train = open_images({folder.path()});
  EXPECT_EQ(train->size(), 5);
  EXPECT_EQ(train->channels(), 3);
  EXPECT_EQ(train->view_size(), (ImageSize{32, 32}));
  EXPECT_EQ(train->bytes_in_memory(), 0);
  EXPECT_TRUE(train->labels().equal(at::arange(5, at::kLong)));
  EXPECT_EQ(train->label_names().size(), 6U);
  const at::Tensor images = train->load(at::tensor({4, 0, 3, 2}, at::kLong)).together();
  for (const auto& [place, number] : {std::pair{0, 4}, {1, 0}, {2, 3}, {3, 2}}) {
    EXPECT_TRUE(images[place].equal(cifar_image(number))) << number;
  }
  const auto test = train->test_part();
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->size(), 1);
  EXPECT_EQ(test->labels().item<int>(), 5);
  EXPECT_EQ(test->test_part(), nullptr);
}

TEST(CifarSource, TakesTheFineLabelOfCifar100) {
  const TemporaryDirectory folder;
  write_bytes(folder / "train.bin", records(0, 2, std::string{19, 90}));
  write_bytes(folder / "test.bin", records(2, 1, std::string{19, 90}));
  const auto train = open_images({folder.path()});
  EXPECT_TRUE(train->labels().equal(at::tensor({90, 91}, at::kLong)));
  EXPECT_TRUE(train->load(at::tensor({1}, at::kLong)).together()[0].equal(cifar_image(1)));
  EXPECT_EQ(train->test_part()->labels().item<int>(), 92);
}

TEST(CifarSource, RefusesFilesThatAreCutShort) {
  const TemporaryDirectory folder;
  write_bytes(folder / "data_batch_1.bin", records(0, 2, std::string(1, '\0')).substr(0, 5000));
  const std::string message = cifar_refusal(folder.path());
  EXPECT_NE(message.find("no whole number of CIFAR records"), std::string::npos) << message;
}

}  // namespace
}  // namespace negatron::testing
