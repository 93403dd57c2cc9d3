#include "launch/flags/config_text.h"

#include <fstream>
#include <string_view>

#include "launch/exit_code.h"
#include "launch/flags/field_names.h"
#include "runtime/text/byte_order_mark.h"
#include "runtime/text/utf8.h"

namespace negatron {
namespace {

/// A path of as many bytes as Linux takes, each of them escaped; what is longer is some other file.
constexpr std::size_t kLongestLine = std::size_t{1} << 15;
constexpr std::size_t kLongestFile = std::size_t{1} << 20;

std::string config_text(const std::string& path) {
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
  return text;
}

void check_lines(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > kLongestLine) {
      throw IniError{number, "has " + std::to_string(line.size()) + " characters, expected name = value in at most " +
                                 std::to_string(kLongestLine)};
    }
    if (!is_utf8(line)) {
      throw IniError{number, "is not UTF-8 text, expected name = value; other bytes are written \"\\xFF\""};
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

}  // namespace

std::vector<IniSetting> read_config(const std::string& path) {
  const std::string whole = config_text(path);
  const std::string_view text = without_byte_order_mark(whole);
  try {
    check_lines(text);
    return read_ini(text, IniAuthor::kPerson);
  } catch (const IniError& error) {
    throw UsageError("--config: line " + std::to_string(error.line) + " of '" + path + "' " + error.reason + ".");
  }
}

}  // namespace negatron
