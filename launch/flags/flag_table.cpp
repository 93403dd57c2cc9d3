#include "launch/flags/flag_table.h"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "launch/flags/config_text.h"
#include "launch/flags/field_names.h"
#include "runtime/text/ini_text.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

constexpr const char* kConfigName = "config";

std::string field_text(const FlagTable::Field& field) {
  struct Writer {
    std::string operator()(const bool* value) const { return *value ? "on" : "off"; }
    std::string operator()(const std::string* value) const { return *value; }
    std::string operator()(const TypedField& typed) const { return typed.text(); }
  };
  return std::visit(Writer{}, field);
}

void assign(const std::string& name, const FlagTable::Field& field, const std::string& text) {
  struct Reader {
    const std::string& name;
    const std::string& text;
    void operator()(bool* value) const {
      if (!is_on(text) && !is_off(text)) throw UsageError("--" + name + " takes on or off, not '" + text + "'.");
      *value = is_on(text);
    }
    void operator()(std::string* value) const { *value = text; }
    void operator()(const TypedField& typed) const { typed.read(name, text); }
  };
  std::visit(Reader{name, text}, field);
}

}  // namespace

void FlagTable::group(std::string title) {
  group_ = std::move(title);
}

void FlagTable::add(std::string name, Field field, std::string help, FlagRole role) {
  std::string default_text = field_text(field);
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

const FlagTable::Flag* FlagTable::find(const std::string& name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

FlagRole FlagTable::role_of(const std::string& name) const {
  const Flag* flag = find(name);
  return flag == nullptr ? FlagRole::kNumbers : flag->role;
}

FlagKinds FlagTable::kinds() const {
  FlagKinds kinds = {{kConfigName, FlagKind::kValue}};
  for (const Flag& flag : flags_) kinds[flag.name] = is_switch(flag) ? FlagKind::kSwitch : FlagKind::kValue;
  return kinds;
}

std::map<std::string, std::string> FlagTable::values_of_file(const std::string& path) const {
  std::map<std::string, std::string> values;
  for (const IniSetting& setting : read_config(path)) {
    const std::string where = " (line " + std::to_string(setting.line) + " of '" + path + "')";
    const Flag* flag = find(setting.name);
    if (flag == nullptr) refuse_unknown(setting.name, where);
    if (!values.emplace(setting.name, setting.value).second) {
      throw UsageError("'" + setting.name + "' is set more than once" + where + ".");
    }
    if (flag->role != FlagRole::kCommand) continue;
    // Configurations of older versions hold it, switched off.
    if (!is_off(setting.value)) {
      throw UsageError("'" + setting.name + "' is no setting of a file" + where + "; give --" + setting.name +
                       " on the command line.");
    }
    values.erase(setting.name);
  }
  return values;
}

bool FlagTable::parse(const std::vector<std::string>& arguments) {
  CommandLine line =
      read_command_line(arguments, kinds(), [this](const std::string& name) { refuse_unknown(name, ""); });
  // Help comes before the file is opened: it must work with a --config that is wrong.
  if (line.asks_for_help) return false;
  if (!line.words.empty()) {
    if (words_ == nullptr) {
      throw UsageError("'" + line.words.front() +
                       "' is no flag and no flag's value; flags are written --name value, a value with blanks between "
                       "quotes.");
    }
    *words_ = line.words;
  }
  std::set<std::string> on_command_line;
  for (const auto& [name, value] : line.values) on_command_line.insert(name);
  std::map<std::string, std::string> values = line.values;
  const auto config = line.values.find(kConfigName);
  // Example: "--tau 0.2 --config a.ini" with the lines "tau = 0.1" and "lr = 0.03" gives 0.2 from the flag, 0.03 from
  // the file and defaults for the rest. A name that comes twice within one of the two sources is an error.
  if (config != line.values.end()) values.merge(values_of_file(config->second));
  for (const Flag& flag : flags_) {
    const auto found = values.find(flag.name);
    if (found == values.end()) continue;
    // Example: "--views none" with the lines "views = byol" and "blur = 0.5". The recipe of the command line stands for
    // all of its group, and the file's blur belonged to the recipe that it replaces.
    if (on_command_line.count(flag.name) == 0 && has_recipe(flag, on_command_line)) continue;
    // In the order of the table, in which a recipe stands before what overrides it.
    //
    // Targets of flags that were named nowhere are untouched and keep their defaults.
    assign(flag.name, flag.field, found->second);
  }
  return true;
}

bool FlagTable::is_switch(const Flag& flag) {
  return std::holds_alternative<bool*>(flag.field);
}

void FlagTable::refuse_unknown(const std::string& name, const std::string& where) const {
  std::vector<std::string> names = {"help", kConfigName};
  for (const Flag& flag : flags_) names.push_back(flag.name);
  // What the field calls it comes before spelling: --temperature is --tau, and not --knn-temperature.
  std::string meant;
  for (const std::string& known : flags_known_as(name)) {
    if (std::find(names.begin(), names.end(), known) == names.end()) continue;
    meant += (meant.empty() ? "--" : " or --") + known;
  }
  const std::optional<std::string> near = nearest_name(flag_spelling(name), names);
  if (meant.empty() && near) meant = "--" + *near;
  throw UsageError("unknown flag --" + name + where +
                   (meant.empty() ? "; --help lists all flags." : ", did you mean " + meant + "?"));
}

void FlagTable::set(const std::map<std::string, std::string>& values) {
  // In the order of the table, in which a recipe stands before what overrides it.
  for (const Flag& flag : flags_) {
    const auto found = values.find(flag.name);
    if (found != values.end() && flag.role != FlagRole::kCommand) assign(flag.name, flag.field, found->second);
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
    if (flag.role == FlagRole::kCommand) continue;
    if (flag.group != group) out << (group.empty() ? "# " : "\n# ") << (group = flag.group) << "\n";
    const std::string value = field_text(flag.field);
    // An empty string is "not set", which the file says by leaving the line out.
    out << (value.empty() ? "# " : "") << flag.name << " = " << ini_value(value) << "\n";
  }
  return out.str();
}

}  // namespace negatron
