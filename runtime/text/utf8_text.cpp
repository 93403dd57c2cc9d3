#include "runtime/text/utf8_text.h"

#include "runtime/text/utf8.h"

namespace negatron {
namespace {

enum class Controls { kStay, kGoButLines, kGo };

/// How many bytes the character at the front has, in the strict sense of JSON's readers; 0 where none begins.
std::size_t character_bytes(std::string_view text) {
  const std::size_t size = utf8_character(text);
  if (size < 3) return size;
  // Overlong forms, halves of UTF-16 pairs (U+D800 to U+DFFF) and what lies beyond U+10FFFF show in the second byte.
  const auto first = static_cast<unsigned char>(text[0]);
  const auto second = static_cast<unsigned char>(text[1]);
  const bool is_none = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                       (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return is_none ? 0 : size;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  // U+0080 to U+009F: terminals take them for escape sequences of one character.
  if (character.size() == 2) return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character.size() == 1 && (first < 0x20 || first == 0x7F);
}

void add_escaped(std::string_view bytes, std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += "\\x";
    text += kDigits[value >> 4U];
    text += kDigits[value & 0xFU];
  }
}

std::string with_escapes(std::string_view bytes, Controls controls) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    const std::string_view next = bytes.substr(0, size == 0 ? 1 : size);
    const bool breaks = next == "\n" || next == "\t";
    const bool hidden = controls != Controls::kStay && is_control(next) && !(breaks && controls != Controls::kGo);
    if (size == 0 || hidden || bytes.starts_with("\\x")) {
      add_escaped(next, text);
    } else {
      text += next;
    }
    bytes.remove_prefix(next.size());
  }
  return text;
}

}  // namespace

std::string utf8_text(std::string_view bytes) {
  return with_escapes(bytes, Controls::kStay);
}

std::string terminal_text(std::string_view bytes) {
  return with_escapes(bytes, Controls::kGoButLines);
}

std::string shown_text(std::string_view bytes, std::size_t most) {
  if (bytes.size() <= most) return with_escapes(bytes, Controls::kGo);
  // Not in the middle of a character: the bytes behind its first have the form 10xxxxxx.
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(bytes[end]) & 0xC0U) == 0x80U) --end;
  return with_escapes(bytes.substr(0, end == 0 ? most : end), Controls::kGo) + "...";
}

}  // namespace negatron
