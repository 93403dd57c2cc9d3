#include "runtime/matrices/zip_file.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "runtime/matrices/file_part.h"

namespace negatron::testing {
namespace {

std::string digits_of(std::uint64_t value, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string deflated(const std::string& bytes) {
  std::string packed(compressBound(bytes.size()), '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// An archive of one member, as APPNOTE.TXT has it.
struct MadeArchive {
  std::string name = "x.npy";
  std::string bytes;
  bool packed = false;
  std::uint64_t claimed = 0;
  std::uint64_t crc = 0;
  std::uint64_t flags = 0;

  explicit MadeArchive(std::string content, bool is_packed) : bytes(std::move(content)), packed(is_packed) {
    claimed = bytes.size();
    crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  }
  std::string text() const {
    const std::string stored = packed ? deflated(bytes) : bytes;
    const std::string sizes = digits_of(crc, 4) + digits_of(stored.size(), 4) + digits_of(claimed, 4);
    const std::string method = digits_of(packed ? 8 : 0, 2);
    const std::string local = "PK\3\4" + digits_of(20, 2) + digits_of(flags, 2) + method + digits_of(0, 4) + sizes +
                              digits_of(name.size(), 2) + digits_of(0, 2) + name + stored;
    const std::string entry = "PK\1\2" + digits_of(20, 2) + digits_of(20, 2) + digits_of(flags, 2) + method +
                              digits_of(0, 4) + sizes + digits_of(name.size(), 2) + digits_of(0, 12) + digits_of(0, 4) +
                              name;
    return local + entry + "PK\5\6" + digits_of(0, 4) + digits_of(1, 2) + digits_of(1, 2) + digits_of(entry.size(), 4) +
           digits_of(local.size(), 4) + digits_of(0, 2);
  }
};

ZipFile archive_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return ZipFile(std::make_shared<HeldFile>(std::move(bytes)));
}

/// What the first member holds, or why it is refused.
std::string content_of(const std::string& text) {
  try {
    const ZipFile archive = archive_of(text);
    if (archive.members().empty()) return "nothing";
    const std::unique_ptr<InputFile> file = archive.open(archive.members().at(0));
    std::string content(static_cast<std::size_t>(file->size()), '\0');
    file->read(0, std::as_writable_bytes(std::span(content)));
    return content;
  } catch (const SnapshotError& error) {
    return std::string("refused: ") + error.what();
  }
}

const std::string kText = "the same the same the same the same words, again and again and again";

TEST(ZipFile, ReadsWhatIsStoredAndWhatIsPacked) {
  for (const bool packed : {false, true}) {
    EXPECT_EQ(content_of(MadeArchive(kText, packed).text()), kText);
    EXPECT_EQ(content_of(MadeArchive("", packed).text()), "");
    EXPECT_EQ(content_of(MadeArchive(kText, packed).text() + "a remark"), kText);
  }
  const ZipFile archive = archive_of(MadeArchive(std::string(100'000, 'x'), true).text());
  EXPECT_EQ(archive.open_beginning(archive.members()[0])->size(), ZipFile::kBeginning);
}

TEST(ZipFile, RefusesWhatItCannotHold) {
  MadeArchive archive(kText, true);
  archive.claimed = std::uint64_t{4} << 28;
  EXPECT_NE(content_of(archive.text()).find("claims more bytes"), std::string::npos);
  archive.claimed = kText.size() + 1;
  EXPECT_NE(content_of(archive.text()).find("is damaged"), std::string::npos);
  archive = MadeArchive(kText, true);
  archive.crc ^= 1;
  EXPECT_NE(content_of(archive.text()).find("is damaged"), std::string::npos);
  archive = MadeArchive(kText, false);
  archive.claimed = 1;
  EXPECT_NE(content_of(archive.text()).find("two sizes"), std::string::npos);
  archive = MadeArchive(kText, false);
  archive.flags = 1;
  EXPECT_NE(content_of(archive.text()).find("encrypted"), std::string::npos);
}

TEST(ZipFile, NoCutOrChangedByteMakesItCrash) {
  for (const bool packed : {false, true}) {
    const std::string good = MadeArchive(kText, packed).text();
    for (std::size_t end = 0; end + 1 < good.size(); ++end) {
      EXPECT_NE(content_of(good.substr(0, end)).find("refused"), std::string::npos) << end;
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const char byte : {'\0', '\1', '\x7f', '\xff'}) {
        std::string changed = good;
        changed[at] = byte;
        content_of(changed);
      }
    }
  }
}

}  // namespace
}  // namespace negatron::testing
