#include "samplers/options/method_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

constexpr char kBetweenNumbers = '/';
/// Of options that say nothing narrower: sums of such counts fit 64 bits, and such numbers fp32.
constexpr double kMostCounted = 1e15;
constexpr double kMostNumber = 1e30;

std::string trimmed(const std::string& text) {
  constexpr const char* kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <typename Number>
bool read_number(const std::string& text, Number& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

/// What the type of the option holds.
double largest_of(const MethodOption& option) {
  return std::holds_alternative<std::int64_t>(option.default_value) ? kMostCounted : kMostNumber;
}

bool within(const MethodOption& option, double value) {
  return std::abs(value) <= largest_of(option) && value >= option.minimum && value <= option.maximum;
}

/// Too large for any option of its type.
bool is_beyond(const MethodOption& option, const std::string& text) {
  double value = 0.0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && std::abs(value) > std::min(largest_of(option), option.maximum);
}

/// The largest is shown where it is the option's own, and where `given` is above it.
std::string bounds(const MethodOption& option, const std::string& given) {
  std::ostringstream text;
  if (std::isfinite(option.minimum)) text << " of at least " << option.minimum;
  if (std::isfinite(option.maximum) || is_beyond(option, given)) {
    text << (std::isfinite(option.minimum) ? " and" : " of") << " at most "
         << std::min(option.maximum, largest_of(option));
  }
  return text.str();
}

/// An empty text is an empty list.
bool read_list(const MethodOption& option, const std::string& text, NumberList& list) {
  list.clear();
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, kBetweenNumbers);) {
    double number = 0.0;
    if (!read_number(trimmed(item), number) || !within(option, number)) return false;
    list.push_back(number);
  }
  return true;
}

/// False when the text is not a value of the option.
bool read_value(const MethodOption& option, const std::string& text, OptionValue& value) {
  if (std::holds_alternative<bool>(value)) {
    value = text == "on";
    return text == "on" || text == "off";
  }
  if (std::holds_alternative<std::int64_t>(value)) {
    std::int64_t count = 0;
    if (!read_number(text, count) || !within(option, static_cast<double>(count))) return false;
    value = count;
    return true;
  }
  if (std::holds_alternative<double>(value)) {
    double number = 0.0;
    if (!read_number(text, number) || !within(option, number)) return false;
    value = number;
    return true;
  }
  if (NumberList* list = std::get_if<NumberList>(&value)) return read_list(option, text, *list);
  value = text;
  return std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end();
}

/// The shortest text that reads back to the same double.
std::string shortest_text(double number) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, number);
  return {text, result.ptr};
}

std::string all_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string expected(const MethodOption& option, const std::string& given) {
  if (!std::holds_alternative<std::string>(option.default_value)) {
    return type_of(option.default_value) + bounds(option, given);
  }
  return "one of " + all_of(option.choices);
}

}  // namespace

MethodOptions::MethodOptions(std::string method, const std::vector<MethodOption>& options, const std::string& text)
    : method_(std::move(method)) {
  for (const MethodOption& option : options) {
    order_.push_back(option.name);
    values_[option.name] = option.default_value;
    changed_[option.name] = false;
  }
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    if (trimmed(item).empty()) continue;
    const std::size_t equals = item.find('=');
    const std::string name = trimmed(item.substr(0, equals));
    const auto option =
        std::find_if(options.begin(), options.end(), [&](const MethodOption& o) { return o.name == name; });
    if (options.empty()) throw std::invalid_argument(method_ + " has no options, but '" + name + "' was given.");
    if (option == options.end()) {
      const std::optional<std::string> near = nearest_name(name, order_);
      throw std::invalid_argument(
          method_ + ": unknown option '" + name + "', " +
          (near ? "did you mean '" + *near + "'?" : "expected one of: " + all_of(order_) + "."));
    }
    if (equals == std::string::npos) throw std::invalid_argument(method_ + ": write " + name + "=VALUE.");
    if (changed_[name]) throw std::invalid_argument(method_ + ": option '" + name + "' is given twice.");
    const std::string value = trimmed(item.substr(equals + 1));
    if (!read_value(*option, value, values_[name])) {
      throw std::invalid_argument(method_ + ": option '" + name + "' takes " + expected(*option, value) + ", not '" +
                                  value + "'.");
    }
    changed_[name] = true;
  }
}

const OptionValue& MethodOptions::value(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::logic_error(method_ + " has no option '" + name + "'");
  return found->second;
}

template <typename T>
const T& MethodOptions::typed(const std::string& name) const {
  const T* typed = std::get_if<T>(&value(name));
  if (typed == nullptr) throw std::logic_error(method_ + ": option '" + name + "' is of another type");
  return *typed;
}

bool MethodOptions::on(const std::string& name) const {
  return typed<bool>(name);
}

std::int64_t MethodOptions::count(const std::string& name) const {
  return typed<std::int64_t>(name);
}

double MethodOptions::number(const std::string& name) const {
  return typed<double>(name);
}

const std::string& MethodOptions::word(const std::string& name) const {
  return typed<std::string>(name);
}

const NumberList& MethodOptions::numbers(const std::string& name) const {
  return typed<NumberList>(name);
}

bool MethodOptions::changed(const std::string& name) const {
  value(name);
  return changed_.at(name);
}

std::string text_of(const OptionValue& value) {
  if (const bool* on = std::get_if<bool>(&value)) return *on ? "on" : "off";
  if (const std::int64_t* count = std::get_if<std::int64_t>(&value)) return std::to_string(*count);
  if (const std::string* word = std::get_if<std::string>(&value)) return *word;
  if (const double* number = std::get_if<double>(&value)) return shortest_text(*number);
  std::string text;
  for (const double number : std::get<NumberList>(value)) {
    if (!text.empty()) text += kBetweenNumbers;
    text += shortest_text(number);
  }
  return text;
}

std::string type_of(const OptionValue& value) {
  if (std::holds_alternative<bool>(value)) return "on or off";
  if (std::holds_alternative<std::int64_t>(value)) return "a whole number";
  if (std::holds_alternative<NumberList>(value)) return "numbers with / between them, each";
  return std::holds_alternative<double>(value) ? "a number" : "a word";
}

}  // namespace negatron
