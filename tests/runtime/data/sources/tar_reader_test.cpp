#include "runtime/data/sources/tar_reader.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/sources/tar_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// Names and contents: "a.txt=hello;"
std::string read_all(const std::string& archive) {
  const TemporaryDirectory folder;
  write_bytes(folder / "x.tar", archive);
  const ReadFile file(folder / "x.tar");
  TarReader reader(file);
  std::string text;
  while (const std::optional<TarMember> member = reader.next()) {
    const std::vector<std::uint8_t> bytes = file.read(member->offset, member->size);
    text += member->name + "=" + std::string(bytes.begin(), bytes.end()) + ";";
  }
  return text;
}

std::string tar_refusal(const std::string& archive) {
  try {
    return "accepted: " + read_all(archive);
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(TarReader, ReadsWhatPosixAndGnuWrite) {
  const std::string long_name = "folder/" + std::string(150, 'n') + ".png";
  EXPECT_EQ(read_all(tar_member("a.txt", "hello") + tar_member("b", "") + tar_end()), "a.txt=hello;b=;");
  EXPECT_EQ(read_all(tar_member("a.txt", "hello", '\0')), "a.txt=hello;");
  EXPECT_EQ(read_all(tar_member("b.png", "x", '0', "deep/folder")), "deep/folder/b.png=x;");
  EXPECT_EQ(read_all(tar_member("././@LongLink", long_name + '\0', 'L') + tar_member("cut", "x")), long_name + "=x;");
  EXPECT_EQ(read_all(tar_member("PaxHeaders/a", pax_record("mtime", "1.5") + pax_record("path", long_name), 'x') +
                     tar_member("cut", "x") + tar_member("next", "y")),
            long_name + "=x;next=y;");
  const std::string links = tar_header("folder/", 0, '5') + tar_header("link", 0, '2');
  EXPECT_EQ(read_all(tar_member("g", pax_record("comment", "all"), 'g') + links + tar_member("a", "1")), "a=1;");
  // A size that does not fit into the header stands in the extended one.
  EXPECT_EQ(read_all(tar_member("p", pax_record("size", "3"), 'x') + tar_header("a", 0) + "123"), "a=123;");
}

TEST(TarReader, ReadsSizesInBinary) {
  std::string header = tar_header("a", 0);
  header.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\0\3", 12));
  header.replace(148, 8, "        ");
  int sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  char digits[16];
  std::snprintf(digits, sizeof digits, "%06o", static_cast<unsigned>(sum));
  header.replace(148, 8, std::string(digits) + std::string("\0 ", 2));
  EXPECT_EQ(read_all(header + "123"), "a=123;");
}

TEST(TarReader, RefusesWhatIsCutShortOrDamaged) {
  const std::string archive = tar_member("a.txt", std::string(2000, 'x')) + tar_end();
  EXPECT_NE(tar_refusal(archive.substr(0, 1000)).find("ends within 'a.txt'"), std::string::npos);
  EXPECT_NE(tar_refusal(archive.substr(0, 300)).find("ends within a header"), std::string::npos);
  std::string damaged = archive;
  damaged[3] ^= 1;
  EXPECT_NE(tar_refusal(damaged).find("no header at byte 0"), std::string::npos);
  EXPECT_NE(tar_refusal(tar_header("a", std::int64_t{1} << 32)).find("cut short"), std::string::npos);
  EXPECT_NE(tar_refusal(std::string(2048, 'z')).find("no tar archive"), std::string::npos);
}

}  // namespace
}  // namespace negatron::testing
