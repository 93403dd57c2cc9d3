#pragma once

#include <cstdint>
#include <string_view>

namespace negatron {

/// What a JSON text that somebody else may have made is allowed to hold.
struct JsonLimits {
  /// Objects and lists inside each other.
  int depth = 0;
  /// Values of all kinds, names too, counted together: a parsed one takes some twenty bytes.
  std::int64_t values = 0;
  /// Objects and lists: a parsed one takes some hundred bytes more.
  std::int64_t containers = 0;
  /// Of a string or a name.
  std::size_t string_bytes = 0;
};

/// Reads the whole text without keeping anything of it. Throws SnapshotError, a reason without the file's name, when it
/// is no JSON, goes beyond the limits, or holds something that is no whole number in 64 bits, no string, no object and
/// no list. Then a parser may build it. Local.
void check_plain_json(std::string_view text, const JsonLimits& limits);

}  // namespace negatron
