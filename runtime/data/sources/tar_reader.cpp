#include "runtime/data/sources/tar_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/data/data_error.h"

namespace negatron {
namespace {

constexpr std::int64_t kBlock = 512;
/// What is said about a member in members of its own: names, times.
constexpr std::int64_t kMostExtraBytes = 1 << 20;

using Block = std::array<std::uint8_t, kBlock>;

std::string_view field(const Block& block, std::size_t at, std::size_t length) {
  const auto* first = reinterpret_cast<const char*>(block.data()) + at;
  const auto* last = static_cast<const char*>(std::memchr(first, 0, length));
  return {first, last == nullptr ? length : static_cast<std::size_t>(last - first)};
}

/// Octal digits between blanks; or, with the first bit set, a big-endian number of which 8 bytes count.
std::optional<std::int64_t> number_field(const Block& block, std::size_t at, std::size_t length) {
  if ((block[at] & 0x80) != 0) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + length; ++i) {
      const std::uint8_t byte = i == at ? block[i] & 0x7f : block[i];
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | byte;
    }
    return static_cast<std::int64_t>(value);
  }
  std::string_view text = field(block, at, length);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text = text.substr(0, text.find(' '));
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (text.empty()) return 0;
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// The sum of all bytes, those of the checksum itself counted as blanks.
bool checksum_is_right(const Block& block) {
  constexpr std::size_t kAt = 148, kLength = 8;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) sum += i >= kAt && i < kAt + kLength ? ' ' : block[i];
  return number_field(block, kAt, kLength) == sum;
}

/// The value of a key in "LENGTH key=value\n" records; nothing when it is not there or a record is no such thing.
std::optional<std::string> pax_value(std::string_view records, std::string_view key) {
  std::optional<std::string> found;
  while (!records.empty()) {
    std::size_t length = 0;
    const auto result = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(result.ptr - records.data());
    if (result.ec != std::errc() || length <= digits + 1 || length > records.size()) return found;
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    const std::size_t equals = record.find('=');
    if (equals != std::string_view::npos && record.substr(0, equals) == key) found = record.substr(equals + 1);
    records.remove_prefix(length);
  }
  return found;
}

}  // namespace

struct TarReader::Header {
  char kind = '0';
  TarMember member;
};

struct TarReader::Extra {
  /// Empty where the member's own counts; so is a size below 0.
  std::string name;
  std::int64_t size = -1;
};

void TarReader::refuse(const std::string& why) const {
  throw DataError("Tar archive '" + file_.path().string() + "' " + why + ".");
}

std::optional<TarReader::Header> TarReader::read_header() {
  // Writers that were stopped, and some that were not, leave out the zeros at the end.
  if (position_ == file_.size()) return std::nullopt;
  if (position_ + kBlock > file_.size()) refuse("is cut short: it ends within a header");
  Block block;
  file_.read(position_, block);
  if (std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; })) return std::nullopt;
  const std::string place = "at byte " + std::to_string(position_);
  if (!checksum_is_right(block)) refuse("has no header " + place + ": it is damaged, compressed, or no tar archive");
  const std::optional<std::int64_t> size = number_field(block, 124, 12);
  if (!size) refuse("has a header without a size " + place);
  Header header;
  header.kind = static_cast<char>(block[156]);
  header.member.name = field(block, 0, 100);
  // GNU's magic has a blank in the place of the zero, and no prefix.
  const bool is_ustar = std::memcmp(block.data() + 257, "ustar", 6) == 0;
  const std::string_view prefix = field(block, 345, 155);
  if (is_ustar && !prefix.empty()) header.member.name = std::string(prefix) + "/" + header.member.name;
  header.member.offset = position_ + kBlock;
  header.member.size = *size;
  return header;
}

void TarReader::read_extra(char kind, const TarMember& member, Extra& extra) const {
  if (kind != 'x' && kind != 'L') return;
  if (member.size > kMostExtraBytes) refuse("has a name of " + std::to_string(member.size) + " bytes");
  const std::vector<std::uint8_t> bytes = file_.read(member.offset, member.size);
  const std::string text(bytes.begin(), bytes.end());
  if (kind == 'L') {
    extra.name = text.substr(0, text.find('\0'));
    return;
  }
  if (const std::optional<std::string> path = pax_value(text, "path")) extra.name = *path;
  if (const std::optional<std::string> size = pax_value(text, "size")) {
    std::from_chars(size->data(), size->data() + size->size(), extra.size);
    if (extra.size < 0) refuse("has the size '" + *size + "'");
  }
}

std::optional<TarMember> TarReader::next() {
  constexpr std::string_view kExtraKinds = "xgLK";
  // '\0' is how the oldest writers say '0'; '7' is a file that lies in one piece.
  constexpr std::string_view kFileKinds(
      "0\0"
      "7",
      3);
  Extra extra;
  while (std::optional<Header> header = read_header()) {
    TarMember& member = header->member;
    const bool is_extra = kExtraKinds.find(header->kind) != std::string_view::npos;
    if (!is_extra && !extra.name.empty()) member.name = extra.name;
    if (!is_extra && extra.size >= 0) member.size = extra.size;
    if (member.size > file_.size() - member.offset) refuse("is cut short: it ends within '" + member.name + "'");
    // Filled up to whole blocks; the last member need not be.
    position_ = std::min(member.offset + (member.size + kBlock - 1) / kBlock * kBlock, file_.size());
    if (is_extra) {
      read_extra(header->kind, member, extra);
      continue;
    }
    if (kFileKinds.find(header->kind) != std::string_view::npos) return std::move(member);
    extra = {};
  }
  return std::nullopt;
}

}  // namespace negatron
