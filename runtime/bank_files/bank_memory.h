#pragma once

#include <cstdint>
#include <string>

namespace negatron {

/// Sample id, label, step and sequence number of a row.
inline constexpr std::int64_t kNumberBytesPerRow = 4 * sizeof(std::int64_t);

/// What an operation on saved banks may take in memory beside the program itself. A value; local.
class BankMemory {
 public:
  /// Throws std::invalid_argument when it is below kLeastBytes.
  explicit BankMemory(std::int64_t bytes);

  std::int64_t left() const noexcept { return left_; }
  /// Sets `bytes` aside for as long as the operation lasts. Throws std::invalid_argument that names --memory and what
  /// it would have to be when less than kLeastBytes would be left; `what` says who wants it ("the numbers of 7 rows").
  void reserve(std::int64_t bytes, const std::string& what);
  /// How many things of `bytes` each fit into what is left: at least 1.
  std::int64_t fitting(std::int64_t bytes) const noexcept;

  /// Blocks smaller than this cost more calls than they save memory.
  static constexpr std::int64_t kLeastBytes = std::int64_t{1} << 18;

 private:
  std::int64_t bytes_;
  std::int64_t left_;
};

}  // namespace negatron
