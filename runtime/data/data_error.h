#pragma once

#include <stdexcept>

namespace negatron {

/// A data file or folder is missing, damaged or not what it should be. The message is one sentence that names the file.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace negatron
