#include "runtime/data/sources/idx_source.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

std::string refusal(const std::filesystem::path& directory, DataPart part) {
  try {
    if (part == DataPart::kTrain) {
      open_images({directory});
    } else {
      IdxSource test(directory, part);
    }
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(IdxSource, LoadsTheFourFilesPackedOrNot) {
  const TemporaryDirectory folder;
  write_gzip(folder / "train-images-idx3-ubyte.gz", idx_bytes({6, 4, 5}, 120));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes({6}, 6));
  write_bytes(folder / "t10k-images-idx3-ubyte", idx_bytes({2, 4, 5}, 40));
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", idx_bytes({2}, 2));
  EXPECT_TRUE(IdxSource::recognises(folder.path()));
  const std::shared_ptr<const ImageSource> train = open_images({folder.path()});
  EXPECT_EQ(train->size(), 6);
  EXPECT_EQ(train->channels(), 1);
  EXPECT_EQ(train->view_size(), (ImageSize{4, 5}));
  EXPECT_EQ(train->bytes_in_memory(), 120);
  EXPECT_EQ(train->labels().scalar_type(), at::kLong);
  EXPECT_EQ(count_classes(*train), 6);
  const std::shared_ptr<const ImageSource> test = train->test_part();
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->size(), 2);
  EXPECT_EQ(test->test_part(), nullptr);

  const at::Tensor chosen = at::tensor({5, 0}, at::kLong);
  EXPECT_TRUE(labels_of(*train, chosen).equal(chosen));
  const at::Tensor images = train->load(chosen).together();
  EXPECT_EQ(images.sizes(), at::IntArrayRef({2, 1, 4, 5}));
  EXPECT_TRUE(images.flatten().narrow(0, 20, 20).equal(at::arange(20, at::kByte)));
}

TEST(IdxSource, RecognisesItsOwnFilesOnly) {
  const TemporaryDirectory folder;
  EXPECT_FALSE(IdxSource::recognises(folder.path()));
  EXPECT_FALSE(IdxSource::recognises(folder / "nowhere"));
  write_bytes(folder / "images.bin", idx_bytes({1, 4, 5}, 20));
  EXPECT_FALSE(IdxSource::recognises(folder.path()));
  write_bytes(folder / "t10k-labels-idx1-ubyte.gz", idx_bytes({1}, 1));
  EXPECT_TRUE(IdxSource::recognises(folder.path()));
}

TEST(IdxSource, SaysWhatIsMissing) {
  const TemporaryDirectory folder;
  const std::string empty = refusal(folder.path(), DataPart::kTest);
  EXPECT_NE(empty.find("t10k-images-idx3-ubyte"), std::string::npos) << empty;
}

TEST(IdxSource, NeedsNoLabelsAndNoTestPart) {
  const TemporaryDirectory folder;
  write_bytes(folder / "train-images.idx3-ubyte", idx_bytes({6, 4, 5}, 120));
  const std::shared_ptr<const ImageSource> train = open_images({folder.path()});
  EXPECT_FALSE(train->has_labels());
  EXPECT_EQ(train->test_part(), nullptr);
}

TEST(IdxSource, TakesOtherUsualNamesAndShapes) {
  const TemporaryDirectory folder;
  write_bytes(folder / "kind-train-images-idx4-ubyte", idx_bytes({2, 2, 2, 3}, 24));
  write_bytes(folder / "kind-train-labels-idx1-ubyte", idx_bytes({2}, 2));
  write_bytes(folder / "kind-test-images-idx2-ubyte", idx_bytes({2, 9}, 18));
  const std::shared_ptr<const ImageSource> train = open_images({folder.path()});
  EXPECT_EQ(train->channels(), 3);
  EXPECT_EQ(train->view_size(), (ImageSize{2, 2}));
  // Green comes second in the file, and second of three planes.
  EXPECT_EQ(train->load(at::tensor({0}, at::kLong)).together()[0][1][0][0].item<int>(), 1);
  const std::shared_ptr<const ImageSource> test = train->test_part();
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->view_size(), (ImageSize{3, 3}));
  write_bytes(folder / "other-train-images-idx3-ubyte", idx_bytes({1, 1, 1}, 1));
  const std::string message = refusal(folder.path(), DataPart::kTrain);
  EXPECT_NE(message.find("holds both"), std::string::npos) << message;
}

TEST(IdxSource, RefusesCountsThatDiffer) {
  const TemporaryDirectory folder;
  write_bytes(folder / "train-images-idx3-ubyte", idx_bytes({6, 4, 5}, 120));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes({7}, 7));
  const std::string message = refusal(folder.path(), DataPart::kTrain);
  EXPECT_NE(message.find("holds 6 images"), std::string::npos) << message;
  EXPECT_NE(message.find("holds 7 labels"), std::string::npos) << message;
}

TEST(IdxSource, LoadsTheBuiltInExample) {
  if (!std::filesystem::exists(kDefaultDataDirectory)) GTEST_SKIP() << "needs Debian's dataset-fashion-mnist";
  const IdxSource test(kDefaultDataDirectory, DataPart::kTest);
  EXPECT_EQ(test.images().sizes(), at::IntArrayRef({10000, 1, 28, 28}));
  EXPECT_EQ(count_classes(test), 10);
  EXPECT_TRUE(at::bincount(test.labels()).eq(1000).all().item<bool>());
}

}  // namespace
}  // namespace negatron::testing
