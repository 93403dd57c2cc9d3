#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "samplers/options/nearest_name.h"

namespace negatron {

/// Throws std::invalid_argument in a sentence: the flag, what was typed, what it can be, and the nearest of that where
/// one is near. Local.
[[noreturn]] inline void refuse_name(const std::string& flag, const std::string& name,
                                     const std::vector<std::string>& known) {
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  const std::optional<std::string> near = nearest_name(name, known);
  throw std::invalid_argument(flag + " is '" + name + "', expected one of: " + list +
                              (near ? "; did you mean " + *near + "?" : "."));
}

/// Does so unless `name` is known. Local.
inline void require_name(const std::string& flag, const std::string& name, const std::vector<std::string>& known) {
  for (const std::string& one : known) {
    if (name == one) return;
  }
  refuse_name(flag, name, known);
}

}  // namespace negatron
