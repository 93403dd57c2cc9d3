#pragma once

#include <nlohmann/json.hpp>

namespace negatron::reference {

/// Largest |actual - expected| over max(|expected|, kFloor times the largest expected number of the value): the numbers
/// of a file have 12 digits, so each may be off by 5e-12 of itself, and those that cancel by rounding of their terms.
/// Infinite when the two differ in shape or one is not a number. Truth values count as 0 and 1.
double relative_error(const nlohmann::json& actual, const nlohmann::json& expected);

inline constexpr double kFloor = 1e-3;
inline constexpr double kTolerance = 1e-10;

}  // namespace negatron::reference
