#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

#include "samplers/bank/row_length.h"

namespace negatron {

/// Why row `index` of rows [m, d + 2] is none of a bank of distances, as the end of a sentence about it: its last
/// number is not 1, or the one before is not -|n|^2 / 2 of the d numbers n to the rounding of the rows' type, also of a
/// narrower one that they were converted from. Empty where it is one. Local.
std::string problem_of_distance_row(const at::Tensor& rows, std::int64_t index);

/// Throws std::invalid_argument, in a sentence that names the flag, where rows are those of distances and the type that
/// they are to be stored in has too few digits. Local.
void require_type(RowLength length, at::ScalarType dtype, const std::string& flag);

}  // namespace negatron
