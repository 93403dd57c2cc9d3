#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace negatron {

/// Throws std::invalid_argument with `message` unless `condition` holds. Local.
inline void require(bool condition, std::string_view message) {
  if (!condition) throw std::invalid_argument(std::string(message));
}

}  // namespace negatron
