#include "runtime/data/sources/idx_file.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// The message of the DataError that reading gives; empty when it reads.
std::string refusal(const std::filesystem::path& path, int dimensions = 3) {
  try {
    read_idx(path, dimensions);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

void expect_refused(const std::filesystem::path& path, const std::string& reason, int dimensions = 3) {
  const std::string message = refusal(path, dimensions);
  EXPECT_NE(message.find(reason), std::string::npos) << "message: '" << message << "'";
  EXPECT_NE(message.find(path.string()), std::string::npos) << "message: '" << message << "'";
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

void expect_counting_elements(const at::Tensor& tensor) {
  const at::Tensor expected = at::arange(tensor.numel(), at::kLong).remainder_(251).to(at::kByte);
  EXPECT_TRUE(tensor.flatten().equal(expected));
}

TEST(IdxFile, ReadsPlainAndGzipWhateverTheName) {
  const TemporaryDirectory folder;
  write_bytes(folder / "plain.gz", idx_bytes({5, 7, 9}, 5 * 7 * 9));
  write_gzip(folder / "packed", idx_bytes({5, 7, 9}, 5 * 7 * 9));
  for (const char* name : {"plain.gz", "packed"}) {
    const at::Tensor tensor = read_idx(folder / name, 3);
    EXPECT_EQ(tensor.sizes(), at::IntArrayRef({5, 7, 9}));
    EXPECT_EQ(tensor.scalar_type(), at::kByte);
    expect_counting_elements(tensor);
  }
}

TEST(IdxFile, RefusesEveryTruncationOfAPlainFile) {
  const TemporaryDirectory folder;
  const std::string whole = idx_bytes({3, 4, 5}, 60);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_bytes(folder / "cut", whole.substr(0, length));
    expect_refused(folder / "cut", "is truncated");
  }
}

TEST(IdxFile, RefusesEveryTruncationOfAGzipFile) {
  const TemporaryDirectory folder;
  write_gzip(folder / "whole", idx_bytes({3, 20, 30}, 1800));
  const std::string whole = read_bytes(folder / "whole");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_bytes(folder / "cut", whole.substr(0, length));
    EXPECT_NE(refusal(folder / "cut"), "") << "cut to " << length << " of " << whole.size();
  }
}

TEST(IdxFile, RefusesDamagedGzip) {
  const TemporaryDirectory folder;
  write_gzip(folder / "whole", idx_bytes({3, 20, 30}, 1800));
  const std::string whole = read_bytes(folder / "whole");
  // The checksum in the last eight bytes covers all data, so one flipped bit anywhere behind the header is seen.
  for (std::size_t place = 10; place < whole.size(); place += 7) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    write_bytes(folder / "damaged", damaged);
    EXPECT_NE(refusal(folder / "damaged"), "") << "bit flipped in byte " << place;
  }
  write_bytes(folder / "garbage", std::string("\x1f\x8b\x08\x00", 4) + std::string(500, 'x'));
  EXPECT_NE(refusal(folder / "garbage"), "");
}

TEST(IdxFile, RefusesForeignAndMisshapenFiles) {
  const TemporaryDirectory folder;
  expect_refused(folder / "missing", "does not exist");
  expect_refused(folder.path(), "is not a regular file");
  write_bytes(folder / "png", std::string("\x89PNG\r\n\x1a\n", 8) + std::string(100, '\0'));
  expect_refused(folder / "png", "is not an IDX file");
  write_bytes(folder / "float", idx_bytes({2, 2, 2}, 32, 0x0d));
  expect_refused(folder / "float", "type 13, expected 8");
  write_bytes(folder / "labels", idx_bytes({8}, 8));
  expect_refused(folder / "labels", "has 1 dimensions, expected 3");
  write_bytes(folder / "longer", idx_bytes({2, 2, 2}, 9));
  expect_refused(folder / "longer", "is longer than its header says");
  write_gzip(folder / "longer.gz", idx_bytes({2, 2, 2}, 9));
  expect_refused(folder / "longer.gz", "is longer than its header says");
  write_bytes(folder / "empty", idx_bytes({0, 28, 28}, 0));
  expect_refused(folder / "empty", "one of its dimensions is 0");
}

TEST(IdxFile, RefusesHugeClaimsBeforeAllocating) {
  const TemporaryDirectory folder;
  // 2^96 elements: the product overflows 64 bits.
  write_bytes(folder / "overflow", idx_bytes({0xffffffffU, 0xffffffffU, 0xffffffffU}, 8));
  expect_refused(folder / "overflow", "claims more than");
  // 8 GiB fits the cap, and the file of a few bytes cannot hold it, packed or not.
  write_bytes(folder / "plain", idx_bytes({1U << 11, 1U << 11, 1U << 11}, 8));
  expect_refused(folder / "plain", "cannot hold them");
  write_gzip(folder / "packed", idx_bytes({1U << 11, 1U << 11, 1U << 11}, 8));
  expect_refused(folder / "packed", "cannot hold them");
}

}  // namespace
}  // namespace negatron::testing
