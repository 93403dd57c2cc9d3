#include "runtime/snapshots/files/new_path.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

/// Names never become durable there.
class ForgetfulDirectories : public PosixFileLayer {
 public:
  void sync_directory(const fs::path& path) override { throw FileError("fsync", path, EIO); }
};

std::size_t names_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void write_word(FileLayer& files, const fs::path& path, const std::string& word, Existing existing) {
  write_then_rename(
      files, path, [&](const fs::path& partial) { write_text(files, partial, word); }, existing);
}

TEST(WriteThenRename, LeavesNothingThatMayBeGoneAfterAPowerCut) {
  const TemporaryDirectory folder;
  ForgetfulDirectories files;
  EXPECT_THROW(write_word(files, folder / "new", "word", Existing::kRefused), FileError);
  EXPECT_EQ(names_in(folder.path()), 0U);
  // What was replaced cannot come back.
  EXPECT_THROW(write_word(files, folder / "new", "word", Existing::kReplaced), FileError);
  EXPECT_EQ(read_bytes(folder / "new"), "word");
}

TEST(WriteThenRename, ReplacesWhatALinkNames) {
  const TemporaryDirectory folder;
  PosixFileLayer files;
  fs::create_directory(folder / "elsewhere");
  write_bytes(folder / "elsewhere/file", "before");
  fs::create_symlink("elsewhere/file", folder / "link");
  write_word(files, folder / "link", "after", Existing::kReplaced);
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "elsewhere/file"), "after");
  EXPECT_EQ(names_in(folder / "elsewhere"), 1U);
  EXPECT_THROW(write_word(files, folder / "link", "never", Existing::kRefused), SnapshotError);
  EXPECT_EQ(read_bytes(folder / "elsewhere/file"), "after");
}

}  // namespace
}  // namespace negatron::testing
