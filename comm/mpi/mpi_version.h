#pragma once

#include <string>

namespace negatron {

/// MPI's library and its version: "Open MPI v4.1.4". May be called at any time, before MPI starts too. Local.
std::string mpi_version();

}  // namespace negatron
