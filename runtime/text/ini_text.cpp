#include "runtime/text/ini_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "runtime/text/utf8.h"

namespace negatron {
namespace {

constexpr char kQuote = '"';
constexpr char kEscape = '\\';
constexpr char kRemark = '#';
constexpr std::string_view kBlanks = " \t\r";
/// Of a line that is no setting, as much as a message shows.
constexpr std::size_t kMostShown = 60;
constexpr int kHexadecimal = 16;

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view without_remark(std::string_view text) {
  return text.substr(0, text.find(kRemark));
}

bool is_control(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code < 0x20 || code == 0x7F;
}

std::string escaped_byte(char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto code = static_cast<unsigned char>(byte);
  return {kEscape, 'x', kDigits[code / kHexadecimal], kDigits[code % kHexadecimal]};
}

/// The byte behind a backslash at the front of `text`, which loses both; nothing for what is no such pair.
std::optional<char> take_escaped(std::string_view& text) {
  constexpr std::size_t kPair = 2, kHexDigits = 2;
  if (text.size() < kPair) return std::nullopt;
  const char letter = text[1];
  text.remove_prefix(kPair);
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case kQuote:
    case kEscape:
      return letter;
    case 'x': {
      unsigned code = 0;
      const std::string_view digits = text.substr(0, kHexDigits);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, kHexadecimal);
      if (digits.size() < kHexDigits || error != std::errc() || end != digits.data() + digits.size()) break;
      text.remove_prefix(kHexDigits);
      return static_cast<char>(code);
    }
    default:
      break;
  }
  return std::nullopt;
}

/// Of text that begins with a quote; nothing where it is no quoted value with at most a remark behind it.
std::optional<std::string> quoted_value(std::string_view text) {
  std::string value;
  for (text.remove_prefix(1); !text.empty();) {
    if (text.front() == kQuote) {
      const std::string_view behind = without_blanks(text.substr(1));
      if (!behind.empty() && behind.front() != kRemark) return std::nullopt;
      return value;
    }
    if (text.front() == kEscape) {
      const std::optional<char> byte = take_escaped(text);
      if (!byte) return std::nullopt;
      value += *byte;
    } else {
      value += text.front();
      text.remove_prefix(1);
    }
  }
  return std::nullopt;
}

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, kMostShown)) + (text.size() > kMostShown ? "...'" : "'");
}

std::string value_behind(std::string_view text, std::size_t line, IniAuthor author) {
  text = without_blanks(text);
  if (!text.empty() && text.front() == kQuote) {
    const std::optional<std::string> value = quoted_value(text);
    if (value) return *value;
    if (author == IniAuthor::kPerson) {
      throw IniError{line, "says " + shown(text) +
                               ", which is no whole value between quotes; \\\" \\\\ \\n \\r \\t and \\x1F stand for "
                               "single bytes in one"};
    }
  }
  return std::string(author == IniAuthor::kPerson ? without_blanks(without_remark(text)) : text);
}

}  // namespace

std::vector<IniSetting> read_ini(std::string_view text, IniAuthor author) {
  std::vector<IniSetting> settings;
  std::string section;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = without_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (whole.empty() || whole.front() == kRemark) continue;
    const std::string_view head = without_blanks(without_remark(whole));
    if (head.front() == '[' && head.back() == ']') {
      section = std::string(head.substr(1, head.size() - 2)) + ".";
      continue;
    }
    const std::size_t equals = whole.find('=');
    if (equals == std::string_view::npos || equals > head.size()) {
      if (author == IniAuthor::kProgram) continue;
      throw IniError{line, "says " + shown(whole) + ", expected name = value"};
    }
    const std::string name = section + std::string(without_blanks(whole.substr(0, equals)));
    settings.push_back({line, name, value_behind(whole.substr(equals + 1), line, author)});
  }
  return settings;
}

std::string ini_value(std::string_view value) {
  bool reads_back = without_blanks(value) == value && without_remark(value) == value && !value.starts_with(kQuote);
  std::string quoted(1, kQuote);
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t size = utf8_character(rest);
    const char first = rest.front();
    if (first == kQuote || first == kEscape) {
      quoted += kEscape;
      quoted += first;
    } else if (first == '\n') {
      quoted += "\\n";
    } else if (size == 0 || is_control(first)) {
      quoted += escaped_byte(first);
    } else {
      quoted += rest.substr(0, size);
    }
    reads_back = reads_back && size > 0 && !is_control(first);
    rest.remove_prefix(std::max<std::size_t>(1, size));
  }
  return reads_back ? std::string(value) : quoted + kQuote;
}

}  // namespace negatron
