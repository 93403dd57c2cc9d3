#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "launch/exit_code.h"
#include "launch/flags/command_line.h"

namespace negatron {

/// What another value of a flag means for a run that resumes a snapshot.
enum class FlagRole {
  kNetwork,    ///< the saved parameters are those of another network, loss or optimizer: refused
  kNumbers,    ///< the run goes on, but not as it would have: the operator is told
  kSpeed,      ///< where and how fast it computes: the same numbers
  kThisStart,  ///< what this start measures, keeps or checks
  kCommand     ///< what is done in the place of a run: of the command line alone, no configuration holds it
};

/// A field of a type of its own.
struct TypedField {
  /// What the configuration calls its value; empty for one that is not set.
  std::function<std::string()> text;
  /// Takes the value with that name. Throws std::invalid_argument in a sentence that names the flag.
  std::function<void(const std::string& flag, const std::string& text)> read;
  /// Values that a shell may offer; there may be others.
  std::vector<std::string> offered{};
};

/// The one list of a command's flags. Each entry binds a name to a field of an options struct, whose value at that
/// moment is the default; parsing, the INI file, --help and the resolved configuration all come from this list, so that
/// a knob lives in two places only: its struct and its line here, which also says what another value means for a run
/// that resumes a snapshot.
class FlagTable {
 public:
  /// Numbers have a range: number_fields.h makes a field of one.
  using Field = std::variant<bool*, std::string*, TypedField>;

  /// Later flags belong to this group of --help.
  void group(std::string title);
  /// `help` says what the value means, with its unit; the default is appended. A bool may stand alone, for on.
  void add(std::string name, Field field, std::string help, FlagRole role = FlagRole::kNumbers);
  /// A flag whose value sets fields of flags that come behind it in the same group. Those override it where they are
  /// given beside it, in whatever order; but where the command line names the recipe, lines of the file do not.
  void add_recipe(std::string name, Field field, std::string help, FlagRole role);
  /// Of a flag that is not in the table, as configurations of older versions may name one: kNumbers.
  FlagRole role_of(const std::string& name) const;

  /// Words that are no flags and no flag's value go here, in their order; without this call they are refused.
  void words(std::vector<std::string>* target) { words_ = target; }

  /// Command line first, then the INI file that --config names (ini_text.h): a flag overrides a line of the file.
  /// Throws UsageError with one sentence for an unknown flag (and offers what it is called here, or the nearest), a
  /// wrong value, a repeated flag or a bad file. Returns false when --help was asked for.
  bool parse(const std::vector<std::string>& arguments);

  /// Takes the values of flags of these names; other names are passed over. Throws as parse().
  void set(const std::map<std::string, std::string>& values);

  void print_help(std::ostream& out, const std::string& usage) const;
  /// What a shell completes: a line for each flag, "--device cpu cuda", with the values that are known behind it; and
  /// kFilesLine where words may stand that are no flags.
  void print_completions(std::ostream& out) const;
  static constexpr const char* kFilesLine = "FILES";
  /// The resolved configuration as an INI file that `--config` reads back to the same values.
  std::string ini() const;

 private:
  struct Flag {
    std::string group;
    std::string name;
    Field field;
    std::string help;
    FlagRole role;
    std::string default_text;
    bool is_recipe = false;
  };

  /// Whether a recipe of the flag's group is among the names.
  bool has_recipe(const Flag& flag, const std::set<std::string>& names) const;

  static bool is_switch(const Flag& flag);
  /// Null for a name that is no flag.
  const Flag* find(const std::string& name) const;
  /// Of every flag, and of --config.
  FlagKinds kinds() const;
  /// `where` is " (line 2 of 'FILE')" or empty. Offers what it is called here, or the nearest.
  [[noreturn]] void refuse_unknown(const std::string& name, const std::string& where) const;
  /// The values of the file that --config names.
  std::map<std::string, std::string> values_of_file(const std::string& path) const;

  std::string group_;
  std::vector<Flag> flags_;
  std::vector<std::string>* words_ = nullptr;
};

}  // namespace negatron
