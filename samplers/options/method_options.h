#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace negatron {

/// Numbers, written with "/" between them: 512/256.
using NumberList = std::vector<double>;
using OptionValue = std::variant<bool, std::int64_t, double, std::string, NumberList>;

/// One option of a sampler or an objective. The type of the default is the type of the option.
struct MethodOption {
  std::string name;
  OptionValue default_value;
  /// What it means, with its unit.
  std::string help;
  /// Of numbers, those in a list too; both included.
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  /// Of words: what is allowed.
  std::vector<std::string> choices{};
};

/// The options of one method with their values: the defaults, and what the user changed. Local.
class MethodOptions {
 public:
  MethodOptions() = default;
  /// `text` is "name=value,name=value", with blanks where one likes; empty for the defaults. `method` is for messages,
  /// for example "--sampler ring". Throws std::invalid_argument with one sentence for an unknown name (and offers the
  /// nearest), a value of the wrong type, out of bounds or not among the choices, and a name given twice.
  MethodOptions(std::string method, const std::vector<MethodOption>& options, const std::string& text);

  /// Throw std::logic_error when the method has no such option of that type.
  bool on(const std::string& name) const;
  std::int64_t count(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& word(const std::string& name) const;
  const NumberList& numbers(const std::string& name) const;
  bool changed(const std::string& name) const;

 private:
  const OptionValue& value(const std::string& name) const;
  template <typename T>
  const T& typed(const std::string& name) const;
  std::string method_;
  std::vector<std::string> order_;
  std::map<std::string, OptionValue> values_;
  std::map<std::string, bool> changed_;
};

/// A value as `MethodOptions` reads it, and its type in words ("a whole number").
std::string text_of(const OptionValue& value);
std::string type_of(const OptionValue& value);

}  // namespace negatron
