#include "launch/completion/bash_completion.h"

#include <ostream>
#include <sstream>
#include <utility>

#include "launch/flags/flag_table.h"

namespace negatron {
namespace {

/// Where a command line may stand: behind the words "bank info", say.
struct CompletionPlace {
  std::string words;
  bool takes_files = false;
  std::vector<std::string> commands{};
  std::vector<std::string> flags{};
  /// Of flags whose values are known: name, and values with blanks between.
  std::vector<std::pair<std::string, std::string>> values{};
};

std::string with_blanks(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// The places of one command: its own, and those of the commands that it has.
std::vector<CompletionPlace> places_of(const CompletedCommand& command) {
  std::vector<CompletionPlace> places = {{command.name}};
  std::istringstream lines(command.lines);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    const std::string first = line.substr(0, blank);
    if (first == FlagTable::kFilesLine) {
      places.back().takes_files = true;
    } else if (first.starts_with("--")) {
      places.back().flags.push_back(first);
      if (blank != std::string::npos) places.back().values.emplace_back(first, line.substr(blank + 1));
    } else {
      places.front().commands.push_back(first);
      places.push_back({command.name + " " + first});
    }
  }
  return places;
}

constexpr const char* kBegin = R"(# Completes negatron's commands, flags and values in bash:
#   source <(negatron completion bash)
_negatron() {
  local IFS=$' \t\n' current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} place= i
  local commands= flags= values= takes_files=
  COMPREPLY=()
  # Bash takes --flag=value apart at its equals sign.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  # Behind launch/ranks the program is a later word.
  for ((i = 0; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]##*/} == negatron ]] && break
  done
  ((i < COMP_CWORD)) || return 0
  for ((++i; i < COMP_CWORD; ++i)); do
    case "$place ${COMP_WORDS[i]}" in
      ' help') ;;
)";

constexpr const char* kBehindPlaces = R"(      *) break ;;
    esac
  done
  case $place in
)";

constexpr const char* kBehindWords = R"(  esac
  case "$place $previous" in
)";

// An empty word may become a file or a flag; where no file can stand, flags are shown.
constexpr const char* kEnd = R"(  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ $previous == --* ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  elif [[ -z $takes_files ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  fi
}
# Where the function has no answer, bash takes file names.
complete -o default -F _negatron negatron ranks
)";

}  // namespace

void print_bash_completion(std::ostream& out, const std::vector<CompletedCommand>& commands) {
  std::vector<CompletionPlace> places = {{"", false, {}, {"--help", "--version"}, {}}};
  for (const CompletedCommand& command : commands) {
    places.front().commands.push_back(command.name);
    for (CompletionPlace& place : places_of(command)) places.push_back(std::move(place));
  }
  places.front().commands.emplace_back("help");
  out << kBegin;
  for (std::size_t i = 1; i < places.size(); ++i) {
    const std::string& words = places[i].words;
    // "bank info" was "bank" before its last word, and "bank" nothing.
    out << "      '" << (words.find(' ') == std::string::npos ? " " : "") << words
        << "') place=\"${place:+$place }${COMP_WORDS[i]}\" ;;\n";
  }
  out << kBehindPlaces;
  for (const CompletionPlace& place : places) {
    out << "    '" << place.words << "')\n      commands='" << with_blanks(place.commands) << "'\n      flags='"
        << with_blanks(place.flags) << "'\n      takes_files=" << (place.takes_files ? "yes" : "") << "\n      ;;\n";
  }
  out << kBehindWords;
  for (const CompletionPlace& place : places) {
    for (const auto& [flag, values] : place.values) {
      out << "    '" << place.words << " " << flag << "') values='" << values << "' ;;\n";
    }
  }
  out << kEnd;
}

}  // namespace negatron
