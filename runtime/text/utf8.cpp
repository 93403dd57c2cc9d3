#include "runtime/text/utf8.h"

#include <algorithm>

namespace negatron {
namespace {

/// Of the character that begins with `first`; 0 for none that UTF-8 knows.
std::size_t size_told_by(unsigned char first) {
  if (first < 0x80) return 1;
  // 0xC0 and 0xC1 could only begin an overlong form of ASCII, and from 0xF5 on characters lie beyond U+10FFFF.
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/// Bytes behind the first of a character have the form 10xxxxxx.
bool goes_on_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

std::size_t utf8_character(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t size = size_told_by(static_cast<unsigned char>(text.front()));
  if (size == 0 || size > text.size()) return 0;
  const std::string_view behind = text.substr(1, size - 1);
  return std::all_of(behind.begin(), behind.end(), goes_on_character) ? size : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_character(text);
    if (size == 0 || text.front() == '\0') return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace negatron
