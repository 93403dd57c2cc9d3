#pragma once

#include <string_view>

namespace negatron {

/// A text file without the mark of UTF-8's byte order, which some editors write before its first line. Local.
inline std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace negatron
