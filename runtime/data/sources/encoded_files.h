#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace negatron {

/// Where image files lie: bytes of JPEG, PNG or WebP with the numbers 0 to size() - 1, read when they are asked for.
/// Local; all functions may be called by several threads at a time.
class EncodedFiles {
 public:
  virtual ~EncodedFiles() = default;

  virtual std::int64_t size() const = 0;
  /// Throws DataError naming the file.
  virtual std::vector<std::uint8_t> bytes(std::int64_t id) const = 0;
  /// What messages call the file.
  virtual std::string name(std::int64_t id) const = 0;
  /// As ImageSource::fingerprint().
  virtual std::string fingerprint() const = 0;
  virtual std::int64_t bytes_of_index() const = 0;
};

}  // namespace negatron
