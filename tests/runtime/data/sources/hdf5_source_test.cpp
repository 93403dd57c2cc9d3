#include "runtime/data/sources/hdf5_source.h"

#include <hdf5.h>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/snapshots/hdf5/hdf5_handle.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// An HDF5 file that is being written.
class WrittenFile {
 public:
  explicit WrittenFile(const std::filesystem::path& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, "creating") {}

  void group(const std::string& name) {
    const Hdf5Handle made(H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, name);
  }
  /// uint8 or int64; in chunks of one row that are compressed, if asked for.
  void dataset(const std::string& name, const at::Tensor& values, bool packed = false) {
    const std::vector<hsize_t> sizes(values.sizes().begin(), values.sizes().end());
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, name);
    const Hdf5Handle storage(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, name);
    if (packed) {
      std::vector<hsize_t> chunk = sizes;
      chunk[0] = 1;
      hdf5_ok(H5Pset_chunk(storage.get(), static_cast<int>(chunk.size()), chunk.data()), name);
      hdf5_ok(H5Pset_shuffle(storage.get()), name);
      hdf5_ok(H5Pset_deflate(storage.get(), 4), name);
    }
    const hid_t type = values.scalar_type() == at::kByte ? H5T_STD_U8LE : H5T_STD_I64LE;
    const Hdf5Handle made(
        H5Dcreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, storage.get(), H5P_DEFAULT), H5Dclose,
        name);
    const at::Tensor flat = values.contiguous();
    hdf5_ok(H5Dwrite(made.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat.const_data_ptr()), name);
  }

 private:
  Hdf5Handle file_;
};

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
          "one whole number for each of the 2 images");
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
