#pragma once

#include <string>

namespace negatron {

/// Of the HDF5 that is loaded: "1.10.8"; empty where it cannot be asked. Local.
std::string hdf5_version();

}  // namespace negatron
