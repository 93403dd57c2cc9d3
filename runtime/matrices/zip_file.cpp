#include "runtime/matrices/zip_file.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <zlib.h>

#include "runtime/matrices/file_part.h"

namespace negatron {
namespace {

constexpr std::uint64_t kEndMark = 0x06054b50, kWideLocatorMark = 0x07064b50, kWideEndMark = 0x06064b50;
constexpr std::uint64_t kEntryMark = 0x02014b50, kHeaderMark = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kWideLocatorBytes = 20, kWideEndBytes = 56, kEntryBytes = 46, kHeaderBytes = 30;
/// Of the remark behind the end of an archive.
constexpr std::int64_t kMostRemark = 0xFFFF;
constexpr std::uint64_t kNarrowNone = 0xFFFFFFFF;
constexpr std::uint64_t kWideExtra = 1;
constexpr std::uint64_t kMostMembers = 1 << 16;
constexpr std::uint64_t kStored = 0, kDeflated = 8;
constexpr std::int64_t kMostDirectory = std::int64_t{1} << 26;
/// Deflate cannot make more out of one byte.
constexpr std::int64_t kMostDeflateRatio = 1032;

/// Numbers with their low byte first, whose places were compared with the size of what holds them.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) throw SnapshotError("its directory of files ends too early");
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
    return value;
  }
  std::string_view text(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) throw SnapshotError("its directory of files ends too early");
    return bytes_.substr(at, count);
  }

 private:
  std::string_view bytes_;
};

std::string read_bytes(const InputFile& file, std::uint64_t at, std::uint64_t count) {
  const auto size = static_cast<std::uint64_t>(file.size());
  if (at > size || count > size - at) throw SnapshotError("it ends before what its directory names");
  std::string bytes(static_cast<std::size_t>(count), '\0');
  file.read(static_cast<std::int64_t>(at), std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

struct Directory {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  std::uint64_t members = 0;
};

/// Of an archive whose sizes take more than 32 bits; the record lies where the locator before the end says.
std::optional<Directory> wide_directory(const InputFile& file, std::uint64_t end_at) {
  if (end_at < kWideLocatorBytes) return std::nullopt;
  const std::string locator = read_bytes(file, end_at - kWideLocatorBytes, kWideLocatorBytes);
  if (Bytes(locator).number(0, 4) != kWideLocatorMark) return std::nullopt;
  const std::string record = read_bytes(file, Bytes(locator).number(8, 8), kWideEndBytes);
  const Bytes end(record);
  if (end.number(0, 4) != kWideEndMark) throw SnapshotError("its directory of files is not where it says");
  return Directory{end.number(48, 8), end.number(40, 8), end.number(32, 8)};
}

Directory find_directory(const InputFile& file) {
  const std::int64_t tail_bytes = std::min<std::int64_t>(file.size(), kMostRemark + kEndBytes);
  const std::int64_t tail_at = file.size() - tail_bytes;
  const std::string tail =
      read_bytes(file, static_cast<std::uint64_t>(tail_at), static_cast<std::uint64_t>(tail_bytes));
  for (std::size_t at = tail.size() < kEndBytes ? 0 : tail.size() - kEndBytes + 1; at-- > 0;) {
    const Bytes end(std::string_view(tail).substr(at));
    if (end.number(0, 4) != kEndMark) continue;
    const auto wide = wide_directory(file, static_cast<std::uint64_t>(tail_at) + at);
    return wide.value_or(Directory{end.number(16, 4), end.number(12, 4), end.number(10, 2)});
  }
  throw SnapshotError("it is a zip archive without its end: a copy or download that broke off");
}

/// Sizes and place that the entry itself has no room for stand in its extra field, in this order.
void read_wide_sizes(const Bytes& extra, std::size_t extra_bytes, const std::vector<std::uint64_t*>& missing) {
  for (std::size_t at = 0; at + 4 <= extra_bytes;) {
    const std::size_t size = extra.number(at + 2, 2);
    if (extra.number(at, 2) == kWideExtra) {
      std::size_t field = at + 4;
      for (std::uint64_t* value : missing) {
        *value = extra.number(field, 8);
        field += 8;
      }
      return;
    }
    at += 4 + size;
  }
  throw SnapshotError("its directory names a file without its size");
}

ZipMember read_entry(const Bytes& entry, std::size_t name_bytes, std::size_t extra_bytes) {
  const std::string name(entry.text(kEntryBytes, name_bytes));
  if ((entry.number(8, 2) & 1U) != 0) throw SnapshotError("'" + name + "' in it is encrypted");
  std::uint64_t packed = entry.number(20, 4), bytes = entry.number(24, 4), header = entry.number(42, 4);
  std::vector<std::uint64_t*> missing;
  for (std::uint64_t* value : {&bytes, &packed, &header}) {
    if (*value == kNarrowNone) missing.push_back(value);
  }
  if (!missing.empty()) {
    read_wide_sizes(Bytes(entry.text(kEntryBytes + name_bytes, extra_bytes)), extra_bytes, missing);
  }
  const std::uint64_t method = entry.number(10, 2);
  if (method != kStored && method != kDeflated) {
    throw SnapshotError("'" + name + "' in it is packed by another method than deflate");
  }
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (packed > kMost || bytes > kMost || header > kMost) throw SnapshotError("'" + name + "' in it has no size");
  return {name,
          method == kDeflated,
          static_cast<std::int64_t>(packed),
          static_cast<std::int64_t>(bytes),
          static_cast<std::uint32_t>(entry.number(16, 4)),
          static_cast<std::int64_t>(header)};
}

/// The first `wanted` bytes of what was packed; fewer where `packed` ends before. Nothing where that is no deflate.
std::optional<std::vector<std::byte>> inflated(const std::string& packed, std::int64_t wanted) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(wanted));
  // zlib takes no place for nothing.
  if (bytes.empty()) return bytes;
  z_stream stream{};
  // A negative window: deflate without a header of zlib's.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw SnapshotError("zlib could not begin");
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  std::size_t taken = 0, given = 0;
  int code = Z_OK;
  // Where nothing goes on any more, because one of the two is at its end, zlib says Z_BUF_ERROR.
  while (code == Z_OK) {
    const std::size_t in = std::min(kPiece, packed.size() - taken), out = std::min(kPiece, bytes.size() - given);
    // zlib does not write to what it reads.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + given);
    stream.avail_out = static_cast<uInt>(out);
    code = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    given += out - stream.avail_out;
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END && code != Z_BUF_ERROR) return std::nullopt;
  bytes.resize(given);
  return bytes;
}

bool has_checksum(const std::vector<std::byte>& bytes, std::uint32_t crc) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == crc;
}

}  // namespace

ZipFile::ZipFile(std::shared_ptr<const InputFile> file) : file_(std::move(file)) {
  const Directory directory = find_directory(*file_);
  if (directory.members > kMostMembers || directory.bytes > kMostDirectory) {
    throw SnapshotError("it holds more than " + std::to_string(kMostMembers) + " files");
  }
  const std::string text = read_bytes(*file_, directory.at, directory.bytes);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.members; ++i) {
    const Bytes entry(std::string_view(text).substr(std::min(at, text.size())));
    if (entry.number(0, 4) != kEntryMark) throw SnapshotError("its directory of files is damaged");
    const std::size_t name = entry.number(28, 2), extra = entry.number(30, 2), remark = entry.number(32, 2);
    members_.push_back(read_entry(entry, name, extra));
    at += kEntryBytes + name + extra + remark;
  }
}

std::int64_t ZipFile::place_of(const ZipMember& member) const {
  const auto header_at = static_cast<std::uint64_t>(member.header_at);
  const std::string header = read_bytes(*file_, header_at, kHeaderBytes);
  const Bytes fields(header);
  if (fields.number(0, 4) != kHeaderMark) throw SnapshotError("'" + member.name + "' in it is not where it says");
  const std::uint64_t begin = header_at + kHeaderBytes + fields.number(26, 2) + fields.number(28, 2);
  const auto size = static_cast<std::uint64_t>(file_->size());
  if (begin > size || static_cast<std::uint64_t>(member.packed_bytes) > size - begin) {
    throw SnapshotError("it ends before '" + member.name + "' does");
  }
  if (!member.packed && member.packed_bytes != member.bytes) {
    throw SnapshotError("'" + member.name + "' in it has two sizes");
  }
  return static_cast<std::int64_t>(begin);
}

std::unique_ptr<InputFile> ZipFile::open(const ZipMember& member) const {
  const std::int64_t begin = place_of(member);
  if (!member.packed) return std::make_unique<FilePart>(file_, begin, member.bytes);
  if (member.bytes / kMostDeflateRatio > member.packed_bytes) {
    throw SnapshotError("'" + member.name + "' in it claims more bytes than could be packed there");
  }
  const std::string packed =
      read_bytes(*file_, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(member.packed_bytes));
  std::optional<std::vector<std::byte>> bytes = inflated(packed, member.bytes);
  if (!bytes || static_cast<std::int64_t>(bytes->size()) != member.bytes || !has_checksum(*bytes, member.crc)) {
    throw SnapshotError("'" + member.name + "' in it is damaged");
  }
  return std::make_unique<HeldFile>(std::move(*bytes));
}

std::unique_ptr<InputFile> ZipFile::open_beginning(const ZipMember& member) const {
  const std::int64_t begin = place_of(member), wanted = std::min(kBeginning, member.bytes);
  if (!member.packed) return std::make_unique<FilePart>(file_, begin, wanted);
  // What does not shrink grows by no more than a few bytes.
  const std::int64_t packed_bytes = std::min(2 * kBeginning, member.packed_bytes);
  const std::string packed =
      read_bytes(*file_, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(packed_bytes));
  return std::make_unique<HeldFile>(inflated(packed, wanted).value_or(std::vector<std::byte>()));
}

}  // namespace negatron
