#pragma once

#include <optional>
#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// The value of a flag that names a floating type; nothing for none. Throws UsageError.
std::optional<at::ScalarType> read_float_type(const std::string& flag, const std::string& text);

}  // namespace negatron
