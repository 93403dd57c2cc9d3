#include "runtime/snapshots/files/new_path.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

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

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PartialNames, WhatCameMeanwhileIsNotOverwritten) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path out = directory / "out";
  for (const bool is_directory : {false, true}) {
    const auto write = [&](const fs::path& partial) {
      if (is_directory) {
        files.make_directory(partial);
      } else {
        write_text(files, partial, "mine");
      }
      std::ofstream(out) << "another's";
    };
    EXPECT_THROW(write_then_rename(files, out, write), SnapshotError);
    EXPECT_EQ(content_of(out), "another's");
    EXPECT_EQ(files.list(directory.path()), std::vector<std::string>{"out"}) << "nothing of the other is left";
    fs::remove(out);
  }
}

TEST(PartialNames, TheFileSystemRefusesToReplaceInOneStep) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  fs::create_directory(directory / "from");
  // A rename would take its place.
  fs::create_directory(directory / "to");
  try {
    files.rename_to_new(directory / "from", directory / "to");
    ADD_FAILURE() << "an empty directory was replaced";
  } catch (const FileError& error) {
    EXPECT_EQ(error.error_number(), EEXIST);
  }
  files.rename_to_new(directory / "from", directory / "new");
  EXPECT_TRUE(fs::exists(directory / "new"));
}

TEST(PartialNames, WhatAKilledProcessLeftIsRemovedByTheNext) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path out = directory / "out", other = directory / "other";
  for (const bool is_directory : {false, true}) {
    const pid_t child = ::fork();
    if (child == 0) {
      PosixFileLayer mine;
      write_then_rename(mine, out, [&](const fs::path& partial) {
        if (is_directory) mine.make_directory(partial);
        write_text(mine, is_directory ? partial / "bank.h5" : partial, "half");
        ::_exit(0);
      });
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_EQ(files.list(directory.path()).size(), 1U);
    write_then_rename(files, other, [&](const fs::path& partial) { write_text(files, partial, "of another name"); });
    EXPECT_EQ(files.list(directory.path()).size(), 2U) << "it is not of this name";
    write_then_rename(files, out, [&](const fs::path& partial) {
      write_text(files, partial, "whole");
      // One that lives is not touched.
      write_then_rename(files, out, [&](const fs::path& second) { write_text(files, second, "faster"); });
      EXPECT_TRUE(fs::exists(partial));
      fs::remove(out);
    });
    EXPECT_EQ(content_of(out), "whole");
    EXPECT_EQ(files.list(directory.path()).size(), 2U);
    fs::remove(out);
    fs::remove(other);
  }
}

TEST(Modes, AreWhatTheUmaskLeaves) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  for (const mode_t mask : {0002U, 0022U, 0077U}) {
    const fs::path place = directory / std::to_string(mask);
    const mode_t before = ::umask(mask);
    files.make_directory(place);
    write_text(files, place / "file", "x");
    ::umask(before);
    struct stat of_directory {};
    struct stat of_file {};
    ASSERT_EQ(::stat(place.c_str(), &of_directory), 0);
    ASSERT_EQ(::stat((place / "file").c_str(), &of_file), 0);
    EXPECT_EQ(of_directory.st_mode & 0777U, 0777U & ~mask);
    EXPECT_EQ(of_file.st_mode & 0777U, 0666U & ~mask);
  }
}

}  // namespace
}  // namespace negatron::testing
