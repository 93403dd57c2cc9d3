#include "runtime/data/normalization_text.h"

#include <charconv>
#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

constexpr char kBetweenLists = ';';
constexpr char kBetweenNumbers = ',';

std::string list_text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    char digits[32];
    // The shortest text that reads back to the same double.
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    if (!text.empty()) text += kBetweenNumbers;
    text.append(digits, end);
  }
  return text;
}

/// Nothing where a part of the list is no number.
std::vector<double> parse_list(std::string_view text) {
  std::vector<double> numbers;
  while (true) {
    const std::size_t end = text.find(kBetweenNumbers);
    const std::string_view part = text.substr(0, end);
    double number = 0.0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), number);
    if (result.ec != std::errc() || result.ptr != part.data() + part.size()) return {};
    numbers.push_back(number);
    if (end == std::string_view::npos) return numbers;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const Normalization& imagenet_normalization() {
  static const Normalization normalization{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  return normalization;
}

std::string normalization_text(const Normalization& normalization) {
  return list_text(normalization.mean()) + kBetweenLists + list_text(normalization.deviation());
}

Normalization parse_normalization(std::string_view text) {
  const std::size_t middle = text.find(kBetweenLists);
  if (middle != std::string_view::npos) {
    Normalization normalization{parse_list(text.substr(0, middle)), parse_list(text.substr(middle + 1))};
    try {
      normalization.validate();
      return normalization;
    } catch (const std::invalid_argument&) {
      // What is wrong is said below, for all mistakes alike.
    }
  }
  throw std::invalid_argument("as many means as deviations above 0, MEANS;DEVIATIONS such as '" +
                              normalization_text(imagenet_normalization()) + "', not '" + std::string(text) + "'.");
}

}  // namespace negatron
