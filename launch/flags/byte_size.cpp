#include "launch/flags/byte_size.h"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>

namespace negatron {
namespace {

struct ByteUnit {
  std::string_view name;
  std::int64_t bytes;
};

/// The largest first.
constexpr std::array<ByteUnit, 5> kByteUnits = {
    {{"TiB", std::int64_t{1} << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}};

std::string byte_size_text(std::int64_t bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    if (bytes % unit.bytes == 0) return std::to_string(bytes / unit.bytes).append(unit.name);
  }
  return std::to_string(bytes);
}

/// 0 for a text that is no size.
std::int64_t parse_byte_size(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 1) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const ByteUnit& unit : kByteUnits) {
    const bool fits = count <= std::numeric_limits<std::int64_t>::max() / unit.bytes;
    if (text == unit.name) return fits ? count * unit.bytes : 0;
  }
  return 0;
}

}  // namespace

TypedField byte_size_field(std::int64_t* field) {
  const auto read = [field](const std::string& flag, const std::string& text) {
    const std::int64_t bytes = parse_byte_size(text);
    if (bytes == 0) {
      throw UsageError("--" + flag + " is '" + text + "', expected a size in memory: 2GiB, 500MiB, 64KiB or bytes.");
    }
    *field = bytes;
  };
  return {[field] { return byte_size_text(*field); }, read};
}

}  // namespace negatron
