#include "runtime/text/json_text.h"

#include <nlohmann/json.hpp>

#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

template <typename Json>
Json in_utf8(const Json& value) {
  if (value.is_string()) return utf8_text(value.template get_ref<const std::string&>());
  if (value.is_array()) {
    Json made = Json::array();
    for (const Json& one : value) made.push_back(in_utf8(one));
    return made;
  }
  if (!value.is_object()) return value;
  Json made = Json::object();
  for (const auto& [name, one] : value.items()) made[utf8_text(name)] = in_utf8(one);
  return made;
}

}  // namespace

std::string json_text(const nlohmann::json& value) {
  return in_utf8(value).dump();
}

std::string json_text(const nlohmann::ordered_json& value) {
  return in_utf8(value).dump();
}

}  // namespace negatron
