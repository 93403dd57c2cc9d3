#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/ATen.h>

namespace negatron {

/// No IDX file may claim more bytes than this: a damaged header must not become an allocation of terabytes.
inline constexpr std::int64_t kMaxIdxBytes = std::int64_t{1} << 33;

/// Reads an IDX file of unsigned bytes, plain or gzip (told apart by the first bytes, not by the name), into a uint8
/// tensor of the file's own shape. `dimensions` is the number of dimensions that the caller expects (3 for images, 1
/// for labels). Every length is checked before anything is allocated. Local.
///
/// Format: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
/// 32-bit number, then the elements in row-major order.
///
/// Throws `DataError` when the file is missing, foreign, truncated, longer than its header says, or of another type.
at::Tensor read_idx(const std::filesystem::path& path, int dimensions);

}  // namespace negatron
