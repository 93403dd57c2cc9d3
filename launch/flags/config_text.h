#pragma once

#include <string>

namespace negatron {

/// The text of an INI file that a person wrote. Throws UsageError in one sentence that names --config, the file and the
/// line: cannot be read, too large, a line that is too long or not UTF-8. Local.
std::string read_config_text(const std::string& path);

}  // namespace negatron
