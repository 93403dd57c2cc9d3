#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/ATen.h>

namespace negatron {

/// Reads a number for each of `samples` samples from a text file, one whole number a line in the order of the samples:
/// [samples] int64. Local. They throw `DataError` when the file cannot be read, a line is something else, or there are
/// more or fewer lines.

/// The type (modality, source) of each: 0, 1, ..., or -1 for none.
at::Tensor read_sample_types(const std::filesystem::path& path, std::int64_t samples);
/// How often each was counted (as a word, an item, a node): 0 or more.
at::Tensor read_sample_counts(const std::filesystem::path& path, std::int64_t samples);

}  // namespace negatron
