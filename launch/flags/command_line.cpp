#include "launch/flags/command_line.h"

#include <algorithm>
#include <iterator>

#include "launch/exit_code.h"

namespace negatron {
namespace {

constexpr const char* kDashes = "--";

class WordReader {
 public:
  WordReader(const std::vector<std::string>& arguments, const KindOfFlag& kind_of,
             const std::function<void(const std::string&)>& refuse_unknown)
      : arguments_(arguments), kind_of_(kind_of), refuse_unknown_(refuse_unknown) {}

  CommandLine read() {
    while (next_ < arguments_.size()) {
      const std::string& word = arguments_[next_++];
      if (only_words_) {
        line_.words.push_back(word);
      } else if (word == kDashes) {
        only_words_ = true;
      } else if (word == "--help" || word == "-h") {
        line_.asks_for_help = true;
      } else if (word.starts_with(kDashes)) {
        read_flag(word.substr(std::string(kDashes).size()));
      } else {
        read_word(word);
      }
    }
    return std::move(line_);
  }

 private:
  void read_flag(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const FlagKind kind = kind_of_(name);
    if (kind == FlagKind::kUnknown) refuse_unknown_(name);
    std::string value;
    if (equals != std::string::npos) {
      value = text.substr(equals + 1);
    } else if (kind == FlagKind::kValue) {
      value = value_of(name);
    } else {
      // Only a word that reads as on or off is a switch's, so that one may stand before words that are no flags.
      const bool is_its = next_ < arguments_.size() && (is_on(arguments_[next_]) || is_off(arguments_[next_]));
      value = is_its ? arguments_[next_++] : "on";
    }
    if (!line_.values.emplace(name, value).second) throw UsageError("--" + name + " is given more than once.");
  }

  const std::string& value_of(const std::string& name) {
    if (next_ == arguments_.size()) throw UsageError("--" + name + " needs a value behind it.");
    const std::string& value = arguments_[next_];
    if (value == "=") {
      throw UsageError("'=' stands alone behind --" + name + "; write --" + name + " VALUE or --" + name +
                       "=VALUE, without blanks around the '='.");
    }
    if (is_flag(value)) {
      throw UsageError("--" + name + " needs a value behind it, and '" + value + "' is the next flag; --" + name + "=" +
                       value + " would be that value.");
    }
    ++next_;
    return value;
  }

  /// Whether a word reads as a flag that there is.
  bool is_flag(const std::string& word) const {
    if (!word.starts_with(kDashes)) return false;
    const std::string text = word.substr(std::string(kDashes).size());
    return text == "help" || kind_of_(text.substr(0, text.find('='))) != FlagKind::kUnknown;
  }

  void read_word(const std::string& word) {
    const std::string name = word.substr(0, word.find('=')).substr(word.starts_with("-") ? 1 : 0);
    const bool names_flag = !name.empty() && kind_of_(name) != FlagKind::kUnknown;
    if (word.starts_with("-") && word.size() > 1) {
      throw UsageError("'" + word + "' begins with one dash; " +
                       (names_flag ? "flags have two: --" + name + "." : "flags are written --name value."));
    }
    if (names_flag && word.find('=') != std::string::npos) {
      throw UsageError("'" + word + "' is no flag without its dashes; did you mean --" + word + "?");
    }
    line_.words.push_back(word);
  }

  const std::vector<std::string>& arguments_;
  const KindOfFlag& kind_of_;
  const std::function<void(const std::string&)>& refuse_unknown_;
  CommandLine line_;
  std::size_t next_ = 0;
  bool only_words_ = false;
};

}  // namespace

bool is_on(const std::string& text) {
  return text == "on" || text == "true" || text == "yes" || text == "1";
}

bool is_off(const std::string& text) {
  return text == "off" || text == "false" || text == "no" || text == "0";
}

CommandLine read_command_line(const std::vector<std::string>& arguments, const KindOfFlag& kind_of,
                              const std::function<void(const std::string& name)>& refuse_unknown) {
  return WordReader(arguments, kind_of, refuse_unknown).read();
}

}  // namespace negatron
