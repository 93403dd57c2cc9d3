#pragma once

// For the sources of this folder only.

#include <optional>

#include <ATen/ATen.h>

#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/snapshots/hdf5/hdf5_handle.h"

namespace negatron {

/// How a tensor's elements stand in files, and in memory, so that HDF5 never converts. bf16 and fp16 are floating types
/// of our own (HDF5 1.10 has neither); fp16 reads as float16 in h5py, bf16 as float32; bool is h5py's enumeration.
/// Throws SnapshotError for a dtype that snapshots do not hold. Under an Hdf5Lock.
Hdf5Handle hdf5_type(at::ScalarType dtype);
/// The inverse: nothing when it is none of those.
std::optional<at::ScalarType> scalar_type(const Hdf5Handle& type);
/// Of numbers that lie with their high byte first, which hdf5_type() reads in ours.
std::optional<at::ScalarType> swapped_scalar_type(const Hdf5Handle& type);

/// A text of this many bytes.
Hdf5Handle hdf5_text_type(std::size_t bytes);

}  // namespace negatron
