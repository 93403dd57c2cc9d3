#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "launch/exit_code.h"
#include "launch/flags/flag_table.h"
#include "samplers/cpu/cpu_isa.h"

namespace negatron {

/// A field that has one of a few values, each with a name: --bank-fill random|empty. The names are shown in this order
/// when another one is refused. `field` outlives what is returned; its value is one of `values`. Local.
template <typename Value>
TypedField one_of(Value* field, std::initializer_list<std::pair<std::string, Value>> values) {
  const std::vector<std::pair<std::string, Value>> known(values);
  const auto text = [field, known] {
    for (const auto& [name, value] : known) {
      if (value == *field) return name;
    }
    return std::string();
  };
  const auto read = [field, known](const std::string& flag, const std::string& asked) {
    std::string list;
    for (const auto& [name, value] : known) {
      if (name == asked) {
        *field = value;
        return;
      }
      list += (list.empty() ? "" : ", ") + name;
    }
    throw UsageError("--" + flag + " is '" + asked + "', expected one of: " + list + ".");
  };
  std::vector<std::string> names;
  for (const auto& [name, value] : known) names.push_back(name);
  return {text, read, names};
}

/// A text of which `names` are what a shell offers. Whether another one will do is judged where it is used. `field`
/// outlives what is returned. Local.
inline TypedField offering(std::string* field, std::vector<std::string> names) {
  return {[field] { return *field; }, [field](const std::string&, const std::string& text) { *field = text; },
          std::move(names)};
}

/// Vector code of a CPU, by the names of samplers/cpu/cpu_isa.h. Local.
inline TypedField isa_field(CpuIsa* field) {
  std::vector<std::string> names = {name_of(CpuIsa::kAuto)};
  for (const CpuIsa isa : kIsasFromPlainToBest) names.emplace_back(name_of(isa));
  return {[field] { return std::string(name_of(*field)); },
          [field](const std::string&, const std::string& name) { *field = parse_cpu_isa(name); }, names};
}

}  // namespace negatron
