#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "samplers/bank/rows.h"

namespace negatron {

/// The vectors of a batch as rows of a pass, all valid: vectors [n, d]. Local.
Rows batch_rows(const at::Tensor& vectors);

/// [count * rows.size(), 2] int64 on the host: query i does not meet the rows first[0] + i, first[1] + i, ... Local.
at::Tensor consecutive_exclusions(std::int64_t count, const std::vector<std::int64_t>& first);

}  // namespace negatron
