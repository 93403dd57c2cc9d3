#pragma once

#include <ATen/ATen.h>

#include "comm/mpi/topology.h"

namespace negatron {

/// The device of this rank for --device `kind`, a CPU or a GPU. Loads LibTorch's part for GPUs when one is asked for:
/// the program is not linked with it, as it takes 230 MB of each process and a third of the time to start. Nothing may
/// ask ATen about GPUs before, since ATen looks for that part once. Local. Throws UsageError for cuda on a host without
/// a GPU or with more ranks than GPUs.
at::Device compute_device(const Topology& topology, at::DeviceType kind);

}  // namespace negatron
