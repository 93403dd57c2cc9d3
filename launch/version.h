#pragma once

#include <string>

namespace negatron {

/// This program and the libraries that it runs on. What is not there, or not known, is empty.
struct ProgramVersion {
  /// Of CMake's project: "0.1.0".
  std::string program;
  /// The commit that the source was at when it was built, in git's short form; changes that were not committed do not
  /// show.
  std::string commit;
  std::string libtorch;
  /// "Open MPI v4.1.4".
  std::string mpi;
  std::string hdf5;
  /// "CUDA 13.0, NCCL 2.27.7".
  std::string cuda;
};

/// Local.
ProgramVersion program_version();

/// All of it in one line: "negatron 0.1.0 (commit 0b16c34), LibTorch 2.9.1, Open MPI v4.1.4, HDF5 1.10.8, without
/// CUDA". Local.
std::string version_line();

}  // namespace negatron
