#include "launch/flags/flag_table.h"

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <cmath>
#include <ostream>
#include <sstream>

#include "launch/flags/config_text.h"
#include "launch/flags/field_names.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

namespace po = boost::program_options;

/// Boost wants a name for words without one; nobody types this.
constexpr const char* kWordsName = " words";

std::string text_of(const FlagTable::Field& field) {
  struct Writer {
    std::string operator()(const bool* value) const { return *value ? "on" : "off"; }
    std::string operator()(const std::int64_t* value) const { return std::to_string(*value); }
    std::string operator()(const std::uint64_t* value) const { return std::to_string(*value); }
    std::string operator()(const double* value) const {
      char text[32];
      // The shortest text that reads back to the same double.
      const auto result = std::to_chars(text, text + sizeof text, *value);
      return {text, result.ptr};
    }
    std::string operator()(const std::string* value) const { return *value; }
    std::string operator()(const std::vector<std::int64_t>* value) const {
      std::vector<std::string> parts;
      for (const std::int64_t element : *value) parts.push_back(std::to_string(element));
      return boost::algorithm::join(parts, ",");
    }
    std::string operator()(const TypedField& typed) const { return typed.text(); }
  };
  return std::visit(Writer{}, field);
}

template <typename Number>
Number number_from(const std::string& name, const std::string& text, const char* expected) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  // The whole text must be used up: "12x" is refused and not read as 12.
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw UsageError("--" + name + " takes " + expected + ", not '" + text + "'.");
  }
  return value;
}

bool is_on(const std::string& text) {
  return text == "on" || text == "true" || text == "yes" || text == "1";
}

bool is_off(const std::string& text) {
  return text == "off" || text == "false" || text == "no" || text == "0";
}

void assign(const std::string& name, const FlagTable::Field& field, const std::string& text) {
  struct Reader {
    const std::string& name;
    const std::string& text;
    void operator()(bool* value) const {
      if (is_on(text)) {
        *value = true;
      } else if (is_off(text)) {
        *value = false;
      } else {
        throw UsageError("--" + name + " takes on or off, not '" + text + "'.");
      }
    }
    void operator()(std::int64_t* value) const { *value = number_from<std::int64_t>(name, text, "a whole number"); }
    void operator()(std::uint64_t* value) const {
      *value = number_from<std::uint64_t>(name, text, "a whole number of at least 0");
    }
    void operator()(double* value) const {
      *value = number_from<double>(name, text, "a number");
      if (!std::isfinite(*value)) throw UsageError("--" + name + " takes a finite number, not '" + text + "'.");
    }
    void operator()(std::string* value) const { *value = text; }
    void operator()(std::vector<std::int64_t>* value) const {
      std::vector<std::string> parts;
      boost::algorithm::split(parts, text, boost::algorithm::is_any_of(","));
      value->clear();
      for (const std::string& part : parts) {
        value->push_back(number_from<std::int64_t>(name, part, "whole numbers separated by commas"));
      }
    }
    void operator()(const TypedField& typed) const { typed.read(name, text); }
  };
  std::visit(Reader{name, text}, field);
}

}  // namespace

void FlagTable::group(std::string title) {
  group_ = std::move(title);
}

void FlagTable::add(std::string name, Field field, std::string help, FlagRole role) {
  std::string default_text = text_of(field);
  flags_.push_back({group_, std::move(name), field, std::move(help), role, std::move(default_text), false});
}

void FlagTable::add_recipe(std::string name, Field field, std::string help, FlagRole role) {
  add(std::move(name), std::move(field), std::move(help), role);
  flags_.back().is_recipe = true;
}

bool FlagTable::has_recipe(const Flag& flag, const std::set<std::string>& names) const {
  return std::any_of(flags_.begin(), flags_.end(), [&](const Flag& other) {
    return other.is_recipe && other.group == flag.group && names.count(other.name) != 0;
  });
}

FlagRole FlagTable::role_of(const std::string& name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? FlagRole::kNumbers : found->role;
}

bool FlagTable::parse(const std::vector<std::string>& arguments) {
  po::options_description known;
  known.add_options()("help,h", "")("config", po::value<std::string>(&config_path_));
  for (const Flag& flag : flags_) {
    auto* value = po::value<std::string>();
    if (is_switch(flag)) value->implicit_value("on");
    known.add_options()(flag.name.c_str(), value);
  }

  po::variables_map values;
  std::set<std::string> on_command_line;
  try {
    // No guessing: an abbreviation that works today is another flag tomorrow.
    namespace style = po::command_line_style;
    const int exact = style::unix_style & ~style::allow_guessing;
    po::options_description all;
    all.add(known);
    po::positional_options_description positional;
    all.add_options()(kWordsName, po::value<std::vector<std::string>>());
    positional.add(kWordsName, -1);
    po::store(
        po::command_line_parser(with_joined_switches(arguments)).options(all).positional(positional).style(exact).run(),
        values);
    // Help comes before the file is opened: it must work with a --config that is wrong.
    if (values.count("help") != 0) return false;
    if (values.count(kWordsName) != 0) {
      const auto& words = values[kWordsName].as<std::vector<std::string>>();
      if (words_ == nullptr) throw UsageError("'" + words.front() + "' is no flag; flags are written --name value.");
      *words_ = words;
    }
    for (const auto& [name, value] : values) on_command_line.insert(name);
    if (values.count("config") != 0) {
      config_path_ = values["config"].as<std::string>();
      // The first value that is stored for a name stays, and the command line was stored above. Example: "--tau 0.2
      // --config a.ini" with the lines "tau = 0.1" and "lr = 0.03" gives 0.2 from the flag, 0.03 from the file and
      // defaults for the rest. A name that comes twice within one of the two sources is an error.
      std::istringstream file(read_config_text(config_path_));
      po::store(po::parse_config_file(file, known), values);
    }
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    boost::algorithm::trim_left_if(name, boost::algorithm::is_any_of("-"));
    const std::string where = config_path_.empty() ? "" : " (command line or '" + config_path_ + "')";
    throw UsageError("unknown flag --" + name + where + suggestion(name));
  } catch (const po::error& error) {
    throw UsageError(std::string(error.what()) + (config_path_.empty() ? "." : " ('" + config_path_ + "')."));
  }
  for (const Flag& flag : flags_) {
    if (values.count(flag.name) == 0) continue;
    // Example: "--views none" with the lines "views = byol" and "blur = 0.5". The recipe of the command line stands for
    // all of its group, and the file's blur belonged to the recipe that it replaces.
    if (on_command_line.count(flag.name) == 0 && has_recipe(flag, on_command_line)) continue;
    // In the order of the table, in which a recipe stands before what overrides it.
    //
    // Targets of flags that were named nowhere are untouched and keep their defaults.
    assign(flag.name, flag.field, values[flag.name].as<std::string>());
  }
  return true;
}

bool FlagTable::is_switch(const Flag& flag) {
  return std::holds_alternative<bool*>(flag.field);
}

std::string FlagTable::suggestion(const std::string& unknown) const {
  std::vector<std::string> names = {"help", "config"};
  for (const Flag& flag : flags_) names.push_back(flag.name);
  // What the field calls it comes before spelling: --temperature is --tau, and not --knn-temperature.
  std::string meant;
  for (const std::string& name : flags_known_as(unknown)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    meant += (meant.empty() ? "--" : " or --") + name;
  }
  const std::optional<std::string> near = nearest_name(flag_spelling(unknown), names);
  if (meant.empty() && near) meant = "--" + *near;
  return meant.empty() ? "; --help lists all flags." : ", did you mean " + meant + "?";
}

std::vector<std::string> FlagTable::with_joined_switches(const std::vector<std::string>& arguments) const {
  const auto names_switch = [this](const std::string& word) {
    return std::any_of(flags_.begin(), flags_.end(),
                       [&](const Flag& flag) { return is_switch(flag) && word == "--" + flag.name; });
  };
  std::vector<std::string> joined;
  // Only a word that reads as on or off is joined, so that a switch may stand before words that are no flags.
  // Example: "--mask off run" becomes "--mask=off run", and "--mask run" stays two words.
  for (const std::string& word : arguments) {
    if (!joined.empty() && names_switch(joined.back()) && (is_on(word) || is_off(word))) {
      joined.back() += "=" + word;
    } else {
      joined.push_back(word);
    }
  }
  return joined;
}

void FlagTable::set(const std::map<std::string, std::string>& values) {
  // In the order of the table, in which a recipe stands before what overrides it.
  for (const Flag& flag : flags_) {
    const auto found = values.find(flag.name);
    if (found != values.end()) assign(flag.name, flag.field, found->second);
  }
}

void FlagTable::print_help(std::ostream& out, const std::string& usage) const {
  out << usage << "\n  --config FILE" << std::string(15, ' ')
      << "INI file of the same names (name = value); flags override it\n";
  std::string group;
  for (const Flag& flag : flags_) {
    if (flag.group != group) out << "\n" << (group = flag.group) << "\n";
    constexpr std::size_t kHelpColumn = 30;
    std::string line = "  --" + flag.name;
    line.resize(std::max(kHelpColumn, line.size() + 1), ' ');
    out << line << flag.help;
    if (!flag.default_text.empty()) out << " [" << flag.default_text << "]";
    out << "\n";
  }
}

void FlagTable::print_completions(std::ostream& out) const {
  if (words_ != nullptr) out << kFilesLine << "\n";
  out << "--help\n--config\n";
  for (const Flag& flag : flags_) {
    out << "--" << flag.name;
    if (is_switch(flag)) out << " on off";
    if (const TypedField* typed = std::get_if<TypedField>(&flag.field)) {
      for (const std::string& value : typed->offered) out << " " << value;
    }
    out << "\n";
  }
}

std::string FlagTable::ini() const {
  std::ostringstream out;
  std::string group;
  for (const Flag& flag : flags_) {
    if (flag.group != group) out << (group.empty() ? "# " : "\n# ") << (group = flag.group) << "\n";
    const std::string value = text_of(flag.field);
    // An empty string is "not set", which the file says by leaving the line out.
    out << (value.empty() ? "# " : "") << flag.name << " = " << value << "\n";
  }
  return out.str();
}

}  // namespace negatron
