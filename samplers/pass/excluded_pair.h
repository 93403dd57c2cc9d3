#pragma once

#include <cstdint>

namespace negatron {

/// A query and a row that must not score with each other.
struct ExcludedPair {
  std::int64_t row = 0;
  std::int64_t query = 0;
};

}  // namespace negatron
