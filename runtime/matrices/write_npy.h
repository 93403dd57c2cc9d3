#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// Writes a new file as numpy.save does (format 1.0, C order): an array of that shape and type (fp16, fp32, fp64 or a
/// whole type), whose bytes `next` gives, from the first to the last. Read back and synced when this returns; after a
/// throw it is good for nothing. Local. Throws SnapshotError, std::invalid_argument for another type, and what `next`
/// throws.
void write_npy(FileLayer& files, const std::filesystem::path& path, at::ScalarType dtype,
               const std::vector<std::int64_t>& shape, const ByteSource& next);

/// The file beside `path` that holds numbers of its rows: "a/x.npy" and "ids" make "a/x.ids.npy". Local.
std::filesystem::path npy_beside(const std::filesystem::path& path, const std::string& what);

/// The bytes of a contiguous tensor on the host, which outlives what is returned.
ByteSource bytes_of_tensor(const at::Tensor& tensor);

}  // namespace negatron
