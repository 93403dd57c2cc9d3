#include "runtime/matrices/write_npy.h"

#include <gtest/gtest.h>

#include "runtime/matrices/matrix_file.h"
#include "runtime/matrices/npy_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

TEST(WriteNpy, WritesWhatIsReadBack) {
  const testing::TemporaryDirectory folder;
  PosixFileLayer files;
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kHalf}) {
    const at::Tensor matrix = at::arange(35, at::kDouble).view({7, 5}).to(dtype);
    const std::filesystem::path path = folder / (std::string(c10::toString(dtype)) + ".npy");
    // In pieces that end within a row.
    std::size_t done = 0;
    write_npy(files, path, dtype, {7, 5}, [&](std::size_t most) {
      const auto* begin = static_cast<const std::byte*>(matrix.const_data_ptr()) + done;
      const std::size_t count = std::min<std::size_t>(most, 12);
      done += count;
      return std::span(begin, count);
    });
    EXPECT_EQ(done, matrix.nbytes());
    const auto back = open_matrix(files, path, {});
    EXPECT_EQ(back->dtype(), dtype);
    EXPECT_FALSE(back->means_transpose());
    EXPECT_TRUE(at::equal(back->read_rows(0, 7), matrix));
  }
  const at::Tensor numbers = at::arange(-3, 4, at::kLong);
  write_npy(files, folder / "numbers.npy", at::kLong, {7}, bytes_of_tensor(numbers));
  EXPECT_TRUE(at::equal(read_npy_integers(files, folder / "numbers.npy"), numbers));
  EXPECT_THROW(write_npy(files, folder / "brain.npy", at::kBFloat16, {1}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
