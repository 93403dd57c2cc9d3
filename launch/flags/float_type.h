#pragma once

#include <optional>

#include <ATen/ATen.h>

#include "launch/flags/flag_table.h"

namespace negatron {

/// A field that holds a floating type: fp32, bf16, fp16 or fp64; an optional one may be left open. `field` outlives
/// what is returned. Local.
TypedField float_type_field(at::ScalarType* field);
TypedField float_type_field(std::optional<at::ScalarType>* field);

}  // namespace negatron
