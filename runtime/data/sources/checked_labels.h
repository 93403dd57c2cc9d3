#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// Labels as a file gives them, integers [n] or [n, 1] -> [n] int64. `name` is what messages call them: "'labels' of
/// the data file 'x.h5'". Local. Throws DataError unless there is one for each of `samples` samples, from 0 and below
/// kMostLabels.
at::Tensor checked_labels(const at::Tensor& values, std::int64_t samples, const std::string& name);

/// "[3, 4]"
std::string shape_text(at::IntArrayRef shape);

}  // namespace negatron
