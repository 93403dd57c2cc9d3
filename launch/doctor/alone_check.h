#pragma once

#include "launch/doctor/finding.h"
#include "launch/doctor/host_networks.h"
#include "launch/doctor/launcher_check.h"

namespace negatron {

/// What this process can tell of its host and itself where MPI did not start: no other rank is heard of. Local.
Findings check_alone(const LauncherFacts& launcher, const HostNetworks& networks);

}  // namespace negatron
