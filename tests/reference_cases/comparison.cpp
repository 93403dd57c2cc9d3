#include "tests/reference_cases/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace negatron::reference {
namespace {

constexpr double kDifferent = std::numeric_limits<double>::infinity();

bool is_number(const nlohmann::json& value) {
  return value.is_number() || value.is_boolean();
}

double number_of(const nlohmann::json& value) {
  return value.is_boolean() ? (value.get<bool>() ? 1.0 : 0.0) : value.get<double>();
}

double largest(const nlohmann::json& value) {
  if (is_number(value)) return std::abs(number_of(value));
  double result = 0.0;
  if (value.is_array()) {
    for (const nlohmann::json& entry : value) result = std::max(result, largest(entry));
  }
  return result;
}

double error(const nlohmann::json& actual, const nlohmann::json& expected, double floor) {
  if (is_number(expected)) {
    if (!is_number(actual)) return kDifferent;
    const double difference = std::abs(number_of(actual) - number_of(expected));
    if (!(difference >= 0.0)) return kDifferent;
    return difference / std::max(std::abs(number_of(expected)), floor);
  }
  if (!expected.is_array()) return actual == expected ? 0.0 : kDifferent;
  if (!actual.is_array() || actual.size() != expected.size()) return kDifferent;
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, error(actual[i], expected[i], floor));
  return worst;
}

}  // namespace

double relative_error(const nlohmann::json& actual, const nlohmann::json& expected) {
  const double scale = largest(expected);
  return error(actual, expected, scale > 0.0 ? kFloor * scale : 1.0);
}

}  // namespace negatron::reference
