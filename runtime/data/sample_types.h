#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/ATen.h>

namespace negatron {

/// Reads the type (modality, source) of each of `samples` samples from a text file, one whole number a line in the
/// order of the samples: 0, 1, ..., or -1 for none. [samples] int64. Local. Throws `DataError` when the file cannot be
/// read, a line is something else, or there are more or fewer lines.
at::Tensor read_sample_types(const std::filesystem::path& path, std::int64_t samples);

}  // namespace negatron
