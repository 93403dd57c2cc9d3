#pragma once

#include <string>

namespace negatron {

/// MPI's text for an error code. Local.
std::string mpi_error_text(int code);

/// Throws CommError with MPI's text unless `code` is MPI_SUCCESS. Local.
void mpi_check(int code, const char* function);

}  // namespace negatron
