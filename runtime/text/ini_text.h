#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace negatron {

/// A line of an INI file that sets something.
struct IniSetting {
  /// From 1.
  std::size_t line = 0;
  std::string name;
  std::string value;
};

/// Why a line is none.
struct IniError {
  std::size_t line = 0;
  /// "says 'epochs', expected name = value"
  std::string reason;
};

/// Who wrote a file: a person ends a line with a remark behind '#'; configurations of this program have remarks only on
/// lines of their own, and those of its older versions hold values as they are, '#' and quotes among them.
enum class IniAuthor { kPerson, kProgram };

/// The settings of an INI file, in their order. The dialect, which ini_value() writes:
///   name = value          blanks around both are not theirs
///   name = "value"        every byte between the quotes is the value's; \" \\ \n \r \t, and \x1F for the byte 1F
///   # a remark            on a line of its own, and behind a value, up to the end of the line
///   [section]             later names are section.name
/// Throws IniError for a line of a person that is none of these. Of a program such lines are passed over. Local.
std::vector<IniSetting> read_ini(std::string_view text, IniAuthor author);

/// A value as it stands behind "name = ": as it is where that reads back, else between quotes, in UTF-8 whatever its
/// bytes are. Local.
std::string ini_value(std::string_view value);

}  // namespace negatron
