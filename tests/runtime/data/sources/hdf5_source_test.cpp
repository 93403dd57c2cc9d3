#include "runtime/data/sources/hdf5_source.h"

#include <functional>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/sources/written_hdf5.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// [n, 3, 4, 5]
at::Tensor some_images(std::int64_t n) {
  return at::arange(n * 60, at::kLong).remainder(256).to(at::kByte).view({n, 3, 4, 5});
}

std::string hdf5_refusal(const std::filesystem::path& path) {
  try {
    open_images({path});
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Hdf5Source, ReadsBothOrdersPackedOrNot) {
  const TemporaryDirectory folder;
  const at::Tensor images = some_images(4);
  for (const bool last : {false, true}) {
    for (const bool packed : {false, true}) {
      const std::string name = std::string(last ? "last" : "first") + (packed ? "-packed" : "");
      {
        WrittenFile file(folder / name);
        file.dataset("images", last ? images.permute({0, 2, 3, 1}) : images, packed);
        file.dataset("labels", at::arange(4, at::kLong), packed);
      }
      const auto source = open_images({folder / name});
      EXPECT_EQ(source->size(), 4);
      EXPECT_EQ(source->channels(), 3);
      EXPECT_EQ(source->view_size(), (ImageSize{4, 5}));
      EXPECT_EQ(source->bytes_in_memory(), 0);
      EXPECT_TRUE(source->labels().equal(at::arange(4, at::kLong)));
      EXPECT_EQ(source->test_part(), nullptr);
      const at::Tensor ids = at::tensor({3, 0, 3}, at::kLong);
      EXPECT_TRUE(source->load(ids).together().equal(images.index_select(0, ids))) << name;
    }
  }
}

TEST(Hdf5Source, HasTheTestPartOfGroups) {
  const TemporaryDirectory folder;
  {
    WrittenFile file(folder / "x.h5");
    file.group("train");
    file.group("test");
    file.dataset("train/x", some_images(3).select(1, 0));
    file.dataset("test/x", some_images(2).select(1, 1));
    file.dataset("test/y", at::ones({2, 1}, at::kLong));
  }
  const auto source = open_images({folder / "x.h5"});
  EXPECT_EQ(source->size(), 3);
  EXPECT_EQ(source->channels(), 1);
  EXPECT_FALSE(source->has_labels());
  const auto test = source->test_part();
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->size(), 2);
  EXPECT_TRUE(test->labels().equal(at::ones({2}, at::kLong)));
  EXPECT_TRUE(test->load(at::arange(2, at::kLong)).together().squeeze(1).equal(some_images(2).select(1, 1)));
}

TEST(Hdf5Source, RefusesWhatIsNotImages) {
  const TemporaryDirectory folder;
  const auto refusal_with = [&](const std::function<void(WrittenFile&)>& fill) {
    {
      WrittenFile file(folder / "x.h5");
      fill(file);
    }
    return hdf5_refusal(folder / "x.h5");
  };
  const auto refused = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused(refusal_with([](WrittenFile& file) { file.dataset("pixels", some_images(1)); }), "no dataset 'images'");
  refused(refusal_with([](WrittenFile& file) {
            file.dataset("images", some_images(1).view({1, 4, 3, 5}));
          }),
          "has the shape [1, 4, 3, 5]");
  refused(refusal_with([](WrittenFile& file) { file.dataset("images", some_images(1).to(at::kLong)); }), "uint8");
  refused(refusal_with([](WrittenFile& file) {
            file.dataset("images", some_images(2));
            file.dataset("labels", at::ones({3}, at::kLong));
          }),
          "one whole number for each of the 2 samples");
  refused(refusal_with([](WrittenFile& file) {
            file.dataset("images", some_images(2));
            file.dataset("labels", at::full({2}, -1, at::kLong));
          }),
          "labels below 0");
  write_bytes(folder / "x.h5", "\x89HDF\r\n\x1a\n and nothing else");
  refused(hdf5_refusal(folder / "x.h5"), "x.h5");
}

}  // namespace
}  // namespace negatron::testing
