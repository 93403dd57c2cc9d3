#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace negatron {

/// The value as JSON in one line, whatever bytes its strings and names hold: they are written as utf8_text() has them.
/// Everything that this program writes as JSON with a path or a host in it goes through here. Local.
std::string json_text(const nlohmann::json& value);
std::string json_text(const nlohmann::ordered_json& value);

}  // namespace negatron
