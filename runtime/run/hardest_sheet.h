#pragma once

#include <filesystem>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"

namespace negatron {

/// What the bank of a run's newest snapshot finds hardest to tell apart, as a sheet [3, H, W] uint8
/// (reports/near_sheet.h), for who looks at the run; undefined where there is nothing to show. Reads within 256 MiB.
/// Local. Throws what open_bank() and near_pictures() do.
at::Tensor hardest_sheet(const std::filesystem::path& run_directory, const ImageSource& train);

}  // namespace negatron
