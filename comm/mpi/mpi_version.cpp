#include "comm/mpi/mpi_version.h"

#include <mpi.h>

namespace negatron {

// Example: "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, ..."; MPICH writes several lines.
std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "MPI";
  const std::string whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

}  // namespace negatron
