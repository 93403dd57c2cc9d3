#include "comm/mpi/mpi_check.h"

#include <mpi.h>

#include "comm/error.h"

namespace negatron {

std::string mpi_error_text(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "MPI error " + std::to_string(code);
  return {text, static_cast<std::size_t>(length)};
}

void mpi_check(int code, const char* function) {
  if (code != MPI_SUCCESS) throw CommError(std::string(function) + " failed: " + mpi_error_text(code));
}

}  // namespace negatron
