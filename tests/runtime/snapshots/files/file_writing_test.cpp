#include "runtime/snapshots/files/file_writing.h"

#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "runtime/snapshots/trainer_file.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::TemporaryDirectory;

TEST(Digest, IsXxh3OfAllBytesHoweverTheyCome) {
  // The value of the empty input is in xxHash's specification.
  EXPECT_EQ(digest_of(""), "99aa06d3014798d86001c324468d497f");
  std::string text(10000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i);
  DigestStream pieces;
  for (std::size_t at = 0; at < text.size(); at += 37) {
    pieces.update(std::as_bytes(std::span(text).subspan(at, std::min<std::size_t>(37, text.size() - at))));
  }
  EXPECT_EQ(pieces.hex(), digest_of(text));
}

TEST(PlannedFile, EveryTypeAndShapeComesBack) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  for (const std::int64_t block : {1, 7, 1000000}) {
    TrainerState state;
    for (const at::ScalarType dtype :
         {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf, at::kLong, at::kInt, at::kByte, at::kChar, at::kBool}) {
      const at::Tensor values = (at::arange(60, at::kLong).remainder(2)).to(dtype);
      const std::string name = at::toString(dtype);
      state.tensors.emplace_back(name + ".cube", values.view({3, 4, 5}));
      state.tensors.emplace_back(name + ".one", values[1]);
      state.tensors.emplace_back(name + ".none", at::empty({2, 0, 3}, dtype));
    }
    state.text = {{"with null", std::string("a\0b", 3)}, {"long", std::string(100000, 'x')}};
    state.numbers = {{"most", std::numeric_limits<std::int64_t>::min()}, {"third", 1.0 / 3.0}};
    const auto path = directory / ("file" + std::to_string(block));
    FileWriting writing;
    writing.block_bytes = block;
    const FileDigest digest = write_trainer_file(files, path, host_copy(state), writing);
    EXPECT_EQ(digest, digest_of_file(files, path, 100));
    const TrainerState read = read_trainer_file(path);
    ASSERT_EQ(read.tensors.size(), state.tensors.size());
    for (std::size_t i = 0; i < read.tensors.size(); ++i) {
      EXPECT_EQ(read.tensors[i].first, state.tensors[i].first);
      EXPECT_EQ(read.tensors[i].second.scalar_type(), state.tensors[i].second.scalar_type());
      EXPECT_TRUE(at::equal(read.tensors[i].second, state.tensors[i].second)) << read.tensors[i].first;
    }
    EXPECT_EQ(read.text, state.text);
    EXPECT_EQ(read.numbers, state.numbers);
  }
}

TEST(PlannedFile, EqualPlansGiveEqualBytes) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const TrainerState state{{{"a", at::ones({1000, 3})}}, {{"t", "x"}}, {{"n", std::int64_t{1}}}};
  const FileDigest first = write_trainer_file(files, directory / "1", state, {});
  EXPECT_EQ(write_trainer_file(files, directory / "2", state, {}), first);
}

TEST(PlannedFile, ManyNamesAreHeld) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  TrainerState state;
  for (int i = 0; i < 1500; ++i) {
    state.tensors.emplace_back("layer" + std::to_string(i) + ".weight", at::full({i % 7}, i, at::kInt));
    state.numbers["number" + std::to_string(i)] = std::int64_t{i};
  }
  write_trainer_file(files, directory / "file", state, {});
  const TrainerState read = read_trainer_file(directory / "file");
  ASSERT_EQ(read.tensors.size(), state.tensors.size());
  EXPECT_EQ(read.tensors[1234].first, state.tensors[1234].first);
  EXPECT_TRUE(at::equal(read.tensors[1234].second, state.tensors[1234].second));
  EXPECT_EQ(read.numbers, state.numbers);
}

TEST(PlannedFile, NamesThatCannotBeAreRefused) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  for (const char* name : {"", ".", "a/b"}) {
    const TrainerState state{{{name, at::ones({1})}}, {}, {}};
    EXPECT_THROW(write_trainer_file(files, directory / "file", state, {}), SnapshotError) << name;
  }
  const TrainerState twice{{{"a", at::ones({1})}, {"a", at::ones({1})}}, {}, {}};
  EXPECT_THROW(write_trainer_file(files, directory / "file", twice, {}), SnapshotError);
  const TrainerState complex{{{"a", at::ones({1}, at::kComplexFloat)}}, {}, {}};
  EXPECT_THROW(write_trainer_file(files, directory / "file", complex, {}), SnapshotError);
}

/// A disk on which what is read is not what was written.
class LyingDisk : public PosixFileLayer {
 public:
  std::unique_ptr<OutputFile> create(const std::filesystem::path& path) override {
    return std::make_unique<Lying>(PosixFileLayer::create(path));
  }

 private:
  class Lying : public OutputFile {
   public:
    explicit Lying(std::unique_ptr<OutputFile> real) : real_(std::move(real)) {}
    void append(std::span<const std::byte> bytes) override {
      std::vector<std::byte> copy(bytes.begin(), bytes.end());
      copy.back() ^= std::byte{1};
      real_->append(copy);
    }
    void sync() override { real_->sync(); }
    void close() override { real_->close(); }

   private:
    std::unique_ptr<OutputFile> real_;
  };
};

TEST(PlannedFile, IsReadBackBeforeItIsTrusted) {
  const TemporaryDirectory directory;
  LyingDisk files;
  const TrainerState state{{{"a", at::ones({10})}}, {}, {}};
  EXPECT_THROW(write_trainer_file(files, directory / "file", state, {}), SnapshotError);
}

}  // namespace
}  // namespace negatron
