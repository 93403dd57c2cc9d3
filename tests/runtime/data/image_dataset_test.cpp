#include "runtime/data/image_dataset.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/normalization.h"
#include "tests/runtime/data/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

std::string refusal(const std::filesystem::path& directory, DataPart part) {
  try {
    load_idx_dataset(directory, part);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(ImageDataset, LoadsTheFourFilesPackedOrNot) {
  const TemporaryDirectory folder;
  write_gzip(folder / "train-images-idx3-ubyte.gz", idx_bytes({6, 4, 5}, 120));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes({6}, 6));
  write_bytes(folder / "t10k-images-idx3-ubyte", idx_bytes({2, 4, 5}, 40));
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", idx_bytes({2}, 2));
  const ImageDataset train = load_idx_dataset(folder.path(), DataPart::kTrain);
  EXPECT_EQ(train.images.sizes(), at::IntArrayRef({6, 1, 4, 5}));
  EXPECT_EQ(train.labels.scalar_type(), at::kLong);
  EXPECT_EQ(train.size(), 6);
  EXPECT_EQ(train.classes(), 6);
  EXPECT_EQ(load_idx_dataset(folder.path(), DataPart::kTest).size(), 2);

  const ImageDataset tail = train.slice({4, 6});
  EXPECT_EQ(tail.size(), 2);
  EXPECT_EQ(tail.labels[0].item<std::int64_t>(), 4);
  const ImageDataset chosen = train.select(at::tensor({5, 0}, at::kLong));
  EXPECT_EQ(chosen.labels[0].item<std::int64_t>(), 5);
  EXPECT_TRUE(chosen.images[1].equal(train.images[0]));
}

TEST(ImageDataset, SaysWhatIsMissing) {
  const TemporaryDirectory folder;
  const std::string nowhere = refusal(folder / "nowhere", DataPart::kTrain);
  EXPECT_NE(nowhere.find("dataset-fashion-mnist"), std::string::npos) << nowhere;
  EXPECT_NE(nowhere.find("--data"), std::string::npos) << nowhere;
  const std::string empty = refusal(folder.path(), DataPart::kTest);
  EXPECT_NE(empty.find("t10k-images-idx3-ubyte"), std::string::npos) << empty;
}

TEST(ImageDataset, RefusesCountsThatDiffer) {
  const TemporaryDirectory folder;
  write_bytes(folder / "train-images-idx3-ubyte", idx_bytes({6, 4, 5}, 120));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes({7}, 7));
  const std::string message = refusal(folder.path(), DataPart::kTrain);
  EXPECT_NE(message.find("holds 6 images"), std::string::npos) << message;
  EXPECT_NE(message.find("holds 7 labels"), std::string::npos) << message;
}

TEST(ImageDataset, LoadsTheBuiltInExample) {
  if (!std::filesystem::exists(kDefaultDataDirectory)) GTEST_SKIP() << "needs Debian's dataset-fashion-mnist";
  const ImageDataset test = load_idx_dataset(kDefaultDataDirectory, DataPart::kTest);
  EXPECT_EQ(test.images.sizes(), at::IntArrayRef({10000, 1, 28, 28}));
  EXPECT_EQ(test.classes(), 10);
  EXPECT_TRUE(at::bincount(test.labels).eq(1000).all().item<bool>());
}

TEST(Normalization, GivesMeanZeroAndDeviationOne) {
  const at::Tensor images = at::arange(0, 240, at::kLong).to(at::kByte).view({10, 1, 4, 6});
  const Normalization normalization = Normalization::measure(images);
  EXPECT_NEAR(normalization.mean, 119.5 / 255, 1e-12);
  const at::Tensor values = normalization.apply(images).to(at::kDouble);
  EXPECT_NEAR(values.mean().item<double>(), 0.0, 1e-6);
  EXPECT_NEAR(values.std(/*unbiased=*/false).item<double>(), 1.0, 1e-6);
  EXPECT_EQ(Normalization::measure(at::full({3, 3}, 7, at::kByte)).deviation, 1.0);
  EXPECT_THROW((Normalization{0.5, 0.0}.validate()), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
