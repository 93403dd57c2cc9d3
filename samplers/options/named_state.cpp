#include "samplers/options/named_state.h"

#include <algorithm>

namespace negatron {

void NamedState::add(const NamedState& part) {
  tensors.insert(tensors.end(), part.tensors.begin(), part.tensors.end());
  text.insert(part.text.begin(), part.text.end());
  numbers.insert(part.numbers.begin(), part.numbers.end());
}

at::Tensor NamedState::tensor(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& one) { return one.first == name; });
  return found == tensors.end() ? at::Tensor() : found->second;
}

std::string NamedState::text_of(const std::string& name) const {
  const auto found = text.find(name);
  return found == text.end() ? std::string() : found->second;
}

std::int64_t NamedState::count(const std::string& name) const {
  const auto found = numbers.find(name);
  const auto* value = found == numbers.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  if (value == nullptr) throw MissingState("no count '" + name + "'");
  return *value;
}

double NamedState::number(const std::string& name) const {
  const auto found = numbers.find(name);
  const auto* value = found == numbers.end() ? nullptr : std::get_if<double>(&found->second);
  if (value == nullptr) throw MissingState("no number '" + name + "'");
  return *value;
}

}  // namespace negatron
