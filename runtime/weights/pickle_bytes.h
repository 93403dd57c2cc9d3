#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace negatron {

/// A pickle is damaged, or has what is not read. The text is a reason, to stand in a sentence.
class PickleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The bytes of a pickle, taken from the front. Throws PickleError where they end too early. Local.
class PickleBytes {
 public:
  /// The bytes outlive this.
  explicit PickleBytes(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::uint64_t count);
  /// A whole number of so many bytes, at most 8, the lowest first.
  std::uint64_t take_number(std::size_t bytes);
  /// Up to the next end of a line, which goes too.
  std::string take_line();

 private:
  std::string_view rest_;
};

}  // namespace negatron
