#pragma once

#include <map>
#include <string>
#include <vector>

#include "launch/doctor/finding.h"

namespace negatron {

/// What is installed where this process runs, by name: the program and its build, LibTorch, MPI, HDF5, CUDA and NCCL.
using Versions = std::map<std::string, std::string>;

/// Local.
Versions versions_here();

/// One line where all ranks have the same, and one for each name of which they do not. Both of all ranks, [P]. Local.
Findings check_versions(const std::vector<Versions>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron
