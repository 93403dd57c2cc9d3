#include "launch/flags/number_fields.h"

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "launch/exit_code.h"

namespace negatron {
namespace {

/// The whole text must be used up: "12x" is refused and not read as 12.
template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string range_text(const std::string& kind, const std::string& least, const std::string& most) {
  return kind + " from " + least + " to " + most;
}

[[noreturn]] void refuse_number(const std::string& flag, const std::string& expected, std::string_view text) {
  throw UsageError("--" + flag + " takes " + expected + ", not '" + std::string(text) + "'.");
}

}  // namespace

std::string shortest_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

TypedField within(std::int64_t* field, std::int64_t least, std::int64_t most) {
  const auto read = [=](const std::string& flag, const std::string& text) {
    const std::optional<std::int64_t> value = number_in<std::int64_t>(text);
    if (!value || *value < least || *value > most) {
      refuse_number(flag, range_text("a whole number", std::to_string(least), std::to_string(most)), text);
    }
    *field = *value;
  };
  return {[field] { return std::to_string(*field); }, read};
}

TypedField within(double* field, double least, double most) {
  const auto read = [=](const std::string& flag, const std::string& text) {
    const std::optional<double> value = number_in<double>(text);
    // A NaN is within no bounds.
    if (!value || !(*value >= least && *value <= most)) {
      refuse_number(flag, range_text("a number", shortest_text(least), shortest_text(most)), text);
    }
    *field = *value;
  };
  return {[field] { return shortest_text(*field); }, read};
}

TypedField within(std::vector<std::int64_t>* field, std::int64_t least, std::int64_t most) {
  const auto text_of_list = [field] {
    std::string text;
    for (const std::int64_t element : *field) text += (text.empty() ? "" : ",") + std::to_string(element);
    return text;
  };
  const auto read = [=](const std::string& flag, const std::string& text) {
    std::vector<std::int64_t> values;
    for (std::string_view rest = text;; rest.remove_prefix(rest.find(',') + 1)) {
      const std::string_view part = rest.substr(0, rest.find(','));
      const std::optional<std::int64_t> value = number_in<std::int64_t>(part);
      if (!value || *value < least || *value > most) {
        refuse_number(
            flag, range_text("whole numbers separated by commas, each", std::to_string(least), std::to_string(most)),
            part);
      }
      values.push_back(*value);
      if (part.size() == rest.size()) break;
    }
    *field = values;
  };
  return {text_of_list, read};
}

TypedField seed_field(std::uint64_t* field) {
  const auto read = [field](const std::string& flag, const std::string& text) {
    const std::optional<std::uint64_t> value = number_in<std::uint64_t>(text);
    if (!value) {
      refuse_number(flag, range_text("a whole number", "0", std::to_string(std::numeric_limits<std::uint64_t>::max())),
                    text);
    }
    *field = *value;
  };
  return {[field] { return std::to_string(*field); }, read};
}

}  // namespace negatron
