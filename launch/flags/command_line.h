#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace negatron {

/// What a command line says.
struct CommandLine {
  bool asks_for_help = false;
  /// Of flags, by their names.
  std::map<std::string, std::string> values;
  /// What is no flag and no flag's value, in its order.
  std::vector<std::string> words;
};

enum class FlagKind {
  kValue,  ///< a value belongs to it
  kSwitch  ///< on or off may stand behind it; alone it is on
};

using FlagKinds = std::map<std::string, FlagKind>;

/// Tells words apart, by Boost.Program_options: --name value, --name=value, switches, --help and -h; behind "--" all
/// are words. There is no guessing: an abbreviation that works today is another flag tomorrow. `refuse_unknown` throws
/// for a name that is none of `flags`. Throws UsageError in one sentence that names the word and what it was probably
/// meant to be: a flag twice or without its value, one dash, an equals sign that stands alone. Local.
CommandLine read_command_line(const std::vector<std::string>& arguments, const FlagKinds& flags,
                              const std::function<void(const std::string& name)>& refuse_unknown);

/// What a switch takes for on, and for off. Local.
bool is_on(const std::string& text);
bool is_off(const std::string& text);

}  // namespace negatron
