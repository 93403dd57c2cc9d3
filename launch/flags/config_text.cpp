#include "launch/flags/config_text.h"

#include <fstream>
#include <sstream>
#include <string_view>

#include "launch/exit_code.h"
#include "launch/flags/field_names.h"

namespace negatron {
namespace {

/// Nobody writes more by hand; what is longer is some other file.
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLongestFile = std::size_t{1} << 20;

/// How many bytes the character that begins with `first` has; 0 for none that UTF-8 knows.
std::size_t character_size(unsigned char first) {
  if (first < 0x80) return 1;
  // 0xC0 and 0xC1 could only begin an overlong form of ASCII, and from 0xF5 on characters lie beyond U+10FFFF.
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(static_cast<unsigned char>(text.front()));
    if (size == 0 || size > text.size() || text.front() == '\0') return false;
    for (const char byte : text.substr(1, size - 1)) {
      // Bytes behind the first of a character have the form 10xxxxxx.
      if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::string read_config_text(const std::string& path) {
  const std::string cannot = "--config: cannot read '" + path + "'";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const std::string preset = preset_of(path);
    throw UsageError(cannot + (preset.empty() ? "." : "; did you mean " + preset + "?"));
  }
  // One byte more than allowed is asked for: that it came says that the file is too large, whatever its size is, and
  // a device file that never ends is not read for ever.
  std::string text(kLongestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw UsageError(cannot + ".");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLongestFile) {
    throw UsageError("--config: '" + path + "' is larger than " + std::to_string(kLongestFile) +
                     " bytes, expected lines of the form name = value.");
  }
  std::istringstream lines(text);
  std::size_t number = 1;
  for (std::string line; std::getline(lines, line); ++number) {
    const std::string place = "--config: line " + std::to_string(number) + " of '" + path + "'";
    if (line.size() > kLongestLine) {
      throw UsageError(place + " has " + std::to_string(line.size()) +
                       " characters, expected name = value in at most " + std::to_string(kLongestLine) + ".");
    }
    if (!is_utf8(line)) throw UsageError(place + " is not UTF-8 text, expected name = value.");
  }
  return text;
}

}  // namespace negatron
