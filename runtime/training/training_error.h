#pragma once

#include <stdexcept>

namespace negatron {

/// Training cannot go on: every rank throws it in the same step.
class TrainingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace negatron
