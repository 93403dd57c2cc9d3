#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// Labels as a file gives them, integers [n] or [n, 1] -> [n] int64. `name` is what messages call them: "'labels' of
/// the data file 'x.h5'". Local. Throws DataError unless there is one for each of `samples` samples, from 0 and below
/// kMostLabels.
at::Tensor checked_labels(const at::Tensor& values, std::int64_t samples, const std::string& name);

/// What checked_labels() asks of shape and type, before anything of that size is read. Local. Throws DataError.
void require_label_shape(at::IntArrayRef shape, at::ScalarType type, std::int64_t samples, const std::string& name);

/// "[3, 4]"
std::string shape_text(at::IntArrayRef shape);

}  // namespace negatron
