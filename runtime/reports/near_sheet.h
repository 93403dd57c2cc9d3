#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "runtime/reports/near_pictures.h"

namespace negatron {

/// Pictures in one: a row for each sample, which stands in front, and then what is near to it, in cells of `side`
/// pixels and a little more, on white. Returns [3, H, W] uint8. Local. Throws DataError for a picture that is no PNG,
/// and std::invalid_argument when there is no sample.
at::Tensor near_sheet(const std::vector<NearPictures>& pictures, std::int64_t side);

}  // namespace negatron
