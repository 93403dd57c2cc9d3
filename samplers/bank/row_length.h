#pragma once

#include <cstdint>

namespace negatron {

/// How long rows are, and with it what a score is: those of a bank, and what an encoder makes.
enum class RowLength {
  /// 1, so that scores are cosines and lie in [-1, 1].
  kUnit,
  /// Any, as whoever made them left them: scores are inner products, of any size.
  kAsMade,
  /// Any, and scores are squared distances, -|q - n|^2 / 2: a row is a vector n of d numbers and two more,
  /// (n, -|n|^2 / 2, 1), whose inner product with a query of that kind it is (squared_distance.h).
  kDistance
};

/// As --head-output, manifests and messages say it.
constexpr const char* name_of(RowLength length) {
  switch (length) {
    case RowLength::kUnit:
      return "unit";
    case RowLength::kAsMade:
      return "raw";
    case RowLength::kDistance:
      return "distance";
  }
  return "";
}

/// How many numbers of a row stand behind those of its vector.
constexpr std::int64_t further_numbers(RowLength length) {
  return length == RowLength::kDistance ? 2 : 0;
}

/// The width of rows, and of queries that are scored against them, of vectors of that many numbers; and the way back.
constexpr std::int64_t row_width(RowLength length, std::int64_t vector_width) {
  return vector_width + further_numbers(length);
}
constexpr std::int64_t vector_width(RowLength length, std::int64_t row_width) {
  return row_width - further_numbers(length);
}

}  // namespace negatron
