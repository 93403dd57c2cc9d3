#pragma once

#include <string>
#include <vector>

#include "runtime/text/ini_text.h"

namespace negatron {

/// The settings of an INI file that --config names. A mark of the byte order before its first line is passed over.
/// Throws UsageError in one sentence that names --config, the file and the line: cannot be read, too large, a line that
/// is too long, not UTF-8, or no setting. Local.
std::vector<IniSetting> read_config(const std::string& path);

}  // namespace negatron
