#include "launch/flags/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>

#include "launch/exit_code.h"

namespace negatron {
namespace {

namespace po = boost::program_options;

constexpr const char* kDashes = "--";
/// Boost wants a name for words without one; nobody types this.
constexpr const char* kWordsName = " words";

std::string without_dashes(const std::string& word) {
  return word.substr(std::min(word.size(), word.find_first_not_of('-')));
}

po::options_description descriptions(const FlagKinds& flags) {
  po::options_description all;
  all.add_options()("help,h", "")(kWordsName, po::value<std::vector<std::string>>());
  for (const auto& [name, kind] : flags) {
    auto* value = po::value<std::string>();
    if (kind == FlagKind::kSwitch) value->implicit_value("on");
    all.add_options()(name.c_str(), value);
  }
  return all;
}

/// The flag that a word names, with a value behind an equals sign or without; the end where it names none.
FlagKinds::const_iterator flag_in(const std::string& word, const FlagKinds& flags) {
  if (!word.starts_with(kDashes)) return flags.end();
  return flags.find(without_dashes(word.substr(0, word.find('='))));
}

bool stands_alone(const std::string& word, const FlagKinds& flags, FlagKind kind) {
  const auto flag = flag_in(word, flags);
  return flag != flags.end() && flag->second == kind && word.find('=') == std::string::npos;
}

/// Boost would give a switch any word that follows. Only one that reads as on or off is a switch's, so that it may
/// stand before words that are no flags. Example: "--mask off run" becomes "--mask=off run", and "--mask run"
/// "--mask=on run".
std::vector<std::string> with_joined_switches(const std::vector<std::string>& arguments, const FlagKinds& flags) {
  std::vector<std::string> joined;
  for (auto word = arguments.begin(); word != arguments.end(); ++word) {
    if (*word == kDashes) {
      joined.insert(joined.end(), word, arguments.end());
      break;
    }
    joined.push_back(*word);
    if (!stands_alone(*word, flags, FlagKind::kSwitch)) continue;
    const auto next = std::next(word);
    const bool is_its = next != arguments.end() && (is_on(*next) || is_off(*next));
    joined.back() += "=" + (is_its ? *next : std::string("on"));
    if (is_its) ++word;
  }
  return joined;
}

/// Boost would take the next flag for a value.
void check_values(const std::vector<std::string>& arguments, const FlagKinds& flags) {
  for (auto word = arguments.begin(); word != arguments.end() && *word != kDashes; ++word) {
    if (!stands_alone(*word, flags, FlagKind::kValue)) continue;
    const std::string& flag = *word++;
    if (word == arguments.end()) throw UsageError(flag + " needs a value behind it.");
    if (flag_in(*word, flags) == flags.end() && *word != "--help") continue;
    throw UsageError(flag + " needs a value behind it, and '" + *word + "' is the next flag; " + flag + "=" + *word +
                     " would be that value.");
  }
}

[[noreturn]] void refuse_one_dash(const std::string& word, const FlagKinds& flags) {
  const std::string name = without_dashes(word.substr(0, word.find('=')));
  throw UsageError("'" + word + "' begins with one dash; " +
                   (flags.contains(name) ? "flags have two: --" + name + "." : "flags are written --name value."));
}

void check_word(const std::string& word, const FlagKinds& flags) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || !flags.contains(word.substr(0, equals))) return;
  throw UsageError("'" + word + "' is no flag without its dashes; did you mean --" + word + "?");
}

CommandLine line_of(const po::parsed_options& parsed, const FlagKinds& flags) {
  CommandLine line;
  for (const po::option& option : parsed.options) {
    if (option.position_key >= 0) {
      for (const std::string& word : option.value) {
        check_word(word, flags);
        line.words.push_back(word);
      }
    } else if (option.string_key == "help") {
      line.asks_for_help = true;
    } else {
      const std::string& name = option.string_key;
      // A switch that stands alone.
      const std::string value = option.value.empty() ? "on" : option.value.front();
      if (value == "=" && option.original_tokens.size() > 1) {
        throw UsageError("'=' stands alone behind --" + name + "; write --" + name + " VALUE or --" + name +
                         "=VALUE, without blanks around the '='.");
      }
      if (!line.values.emplace(name, value).second) throw UsageError("--" + name + " is given more than once.");
    }
  }
  return line;
}

}  // namespace

bool is_on(const std::string& text) {
  return text == "on" || text == "true" || text == "yes" || text == "1";
}

bool is_off(const std::string& text) {
  return text == "off" || text == "false" || text == "no" || text == "0";
}

CommandLine read_command_line(const std::vector<std::string>& arguments, const FlagKinds& flags,
                              const std::function<void(const std::string& name)>& refuse_unknown) {
  namespace style = po::command_line_style;
  constexpr int kExact = style::unix_style & ~style::allow_guessing & ~style::allow_sticky;
  const po::options_description known = descriptions(flags);
  po::positional_options_description words;
  words.add(kWordsName, -1);
  check_values(arguments, flags);
  try {
    return line_of(po::command_line_parser(with_joined_switches(arguments, flags))
                       .options(known)
                       .positional(words)
                       .style(kExact)
                       .run(),
                   flags);
  } catch (const po::unknown_option& error) {
    const std::string word = error.get_option_name();
    if (word.starts_with("-") && !word.starts_with(kDashes)) refuse_one_dash(word, flags);
    refuse_unknown(without_dashes(word));
    throw UsageError("unknown flag " + word + ".");
  } catch (const po::error& error) {
    throw UsageError(std::string(error.what()) + ".");
  }
}

}  // namespace negatron
