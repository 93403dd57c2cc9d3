#pragma once

namespace negatron {

/// How long rows are: those of a bank, and what an encoder makes.
enum class RowLength {
  /// 1, so that scores are cosines and lie in [-1, 1].
  kUnit,
  /// Any, as whoever made them left them: scores are inner products, of any size.
  kAsMade
};

/// As --head-output, manifests and messages say it.
constexpr const char* name_of(RowLength length) {
  return length == RowLength::kUnit ? "unit" : "raw";
}

}  // namespace negatron
