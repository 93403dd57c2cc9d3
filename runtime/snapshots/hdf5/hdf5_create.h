#pragma once

// For the sources of this folder only. All of it under an Hdf5Lock.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/snapshots/hdf5/hdf5_handle.h"
#include "runtime/snapshots/hdf5/hdf5_layout.h"
#include "runtime/snapshots/hdf5/hdf5_types.h"

namespace negatron {

/// A new file in place of what is at `path`.
Hdf5Handle create_hdf5(const std::string& path);
void create_group(const Hdf5Handle& file, const std::string& path);
void create_attribute(const Hdf5Handle& file, const Hdf5Attribute& attribute);
/// No sizes: one element.
Hdf5Handle make_space(const std::vector<std::int64_t>& shape);

}  // namespace negatron
