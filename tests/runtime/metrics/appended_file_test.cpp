#include "runtime/metrics/appended_file.h"

#include <csignal>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

/// While it lives no file of this process grows beyond so many bytes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

struct Heard {
  std::vector<std::string> sentences;
  AppendedFile::Warn warn() {
    return [this](const std::string& sentence) { sentences.push_back(sentence); };
  }
};

TEST(AppendedFile, TakesBackHalfALineThatALimitCutsOffAndGoesOnBehindIt) {
  const TemporaryDirectory folder;
  Heard heard;
  AppendedFile file(folder / "lines", {}, heard.warn());
  EXPECT_TRUE(file.append("first\n"));
  {
    const FileSizeLimit limit(10);
    EXPECT_FALSE(file.append("second\n"));
    EXPECT_FALSE(file.append("third\nfourth\n", 2));
    EXPECT_EQ(read_bytes(folder / "lines"), "first\n");
  }
  EXPECT_TRUE(file.append("fifth\n"));
  EXPECT_EQ(read_bytes(folder / "lines"), "first\nfifth\n");
  EXPECT_EQ(file.lost(), 3);
  ASSERT_EQ(heard.sentences.size(), 1U);
  EXPECT_NE(heard.sentences[0].find("lines' cannot be written: File too large"), std::string::npos);
  EXPECT_NE(file.missing().find("misses 3 lines that could not be written (File too large)."), std::string::npos);
}

TEST(AppendedFile, WritesBehindALinkOnceItsDiskHasRoom) {
  const TemporaryDirectory folder;
  fs::create_symlink("/dev/full", folder / "lines");
  Heard heard;
  AppendedFile file(folder / "lines", {}, heard.warn());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(file.append("lost\n"));
  ASSERT_EQ(heard.sentences.size(), 1U);
  EXPECT_NE(heard.sentences[0].find("No space left on device"), std::string::npos) << heard.sentences[0];
  fs::remove(folder / "lines");
  fs::create_symlink("elsewhere", folder / "lines");
  EXPECT_TRUE(file.append("kept\n"));
  EXPECT_TRUE(fs::is_symlink(folder / "lines"));
  EXPECT_EQ(read_bytes(folder / "elsewhere"), "kept\n");
}

TEST(AppendedFile, IsMadeAgainWithItsDirectoriesWhenTheyWereRemoved) {
  const TemporaryDirectory folder;
  Heard heard;
  AppendedFile file(folder / "run/a/records", {AppendedFile::Tail::kKept, "HEAD", "records"}, heard.warn());
  EXPECT_TRUE(file.append("1"));
  EXPECT_EQ(read_bytes(folder / "run/a/records"), "HEAD1");
  EXPECT_EQ(file.missing(), "");
  fs::remove_all(folder / "run");
  EXPECT_TRUE(file.append("2"));
  EXPECT_TRUE(file.append("3"));
  EXPECT_EQ(read_bytes(folder / "run/a/records"), "HEAD23");
  ASSERT_EQ(heard.sentences.size(), 1U);
  EXPECT_NE(heard.sentences[0].find("was removed"), std::string::npos);
  EXPECT_NE(file.missing().find("holds what came after that."), std::string::npos) << file.missing();
}

TEST(AppendedFile, WritesIntoTheFileThatHasItsNameNow) {
  const TemporaryDirectory folder;
  AppendedFile file(folder / "lines", {}, {});
  EXPECT_TRUE(file.append("1\n"));
  fs::rename(folder / "lines", folder / "rotated");
  write_bytes(folder / "lines", "of another\nhalf");
  EXPECT_TRUE(file.append("2\n"));
  EXPECT_EQ(read_bytes(folder / "lines"), "of another\n2\n");
  EXPECT_EQ(read_bytes(folder / "rotated"), "1\n");
}

TEST(AppendedFile, EndsHalfALineOfTextAndKeepsIt) {
  const TemporaryDirectory folder;
  write_bytes(folder / "log", "whole\nhalf");
  AppendedFile(folder / "log", {AppendedFile::Tail::kEnded, {}, "lines"}, {}).append("next\n");
  EXPECT_EQ(read_bytes(folder / "log"), "whole\nhalf\nnext\n");
}

}  // namespace
}  // namespace negatron::testing
