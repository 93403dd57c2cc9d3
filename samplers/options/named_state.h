#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// A state has not what its reader needs; what() names it: "no count 'steps_done'".
class MissingState : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What an object must remember to go on as if it had never stopped, by name. Owners of parts each put their names in
/// and take them out again, so that whoever stores the whole need not know them.
struct NamedState {
  /// Names have no '/', and come back in this order.
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::map<std::string, std::string> text;
  std::map<std::string, std::variant<std::int64_t, double>> numbers;

  /// Adds a part behind what is here. Its names must be new.
  void add(const NamedState& part);

  /// The tensor of that name; undefined where there is none.
  at::Tensor tensor(const std::string& name) const;
  /// The text of that name; empty where there is none.
  std::string text_of(const std::string& name) const;
  /// The whole number of that name. Throws MissingState.
  std::int64_t count(const std::string& name) const;
  /// The floating-point number of that name. Throws MissingState.
  double number(const std::string& name) const;
};

}  // namespace negatron
