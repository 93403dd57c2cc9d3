#pragma once

#include <stdexcept>

namespace negatron {

/// A snapshot cannot be written, or is not one that can be read. One sentence that names the file and what to do.
class SnapshotError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The snapshot is whole, but this version of the program does not know its format.
class NewerFormatError : public SnapshotError {
 public:
  using SnapshotError::SnapshotError;
};

}  // namespace negatron
