#pragma once

#include <string>
#include <vector>

#include "launch/doctor/directory_steps.h"
#include "launch/doctor/finding.h"

namespace negatron {

/// Whether all ranks can write into the directory that is to be a run's, whether it is one for all hosts, how fast it
/// is, and whether locks and renames hold between them. What is not shared or cannot be written to is not tried
/// further. `hosts`: of all ranks, [P]. Collective.
Findings check_directory(Communicator& comm, const DirectoryTrial& trial, const std::vector<std::string>& hosts);

}  // namespace negatron
