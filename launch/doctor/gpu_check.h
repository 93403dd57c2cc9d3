#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "comm/nccl/gpus_here.h"
#include "launch/doctor/finding.h"

namespace negatron {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Gpu, name, memory, has_ecc, peers)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GpusHere, gpus, problem)

enum class GpuUse {
  kIfAll,  ///< where every rank has one
  kNone,
  kAlways  ///< a run is meant to use them
};

/// Whether each rank has a GPU of its own, and whether they are alike and read each other's memory. Both of all ranks,
/// [P]. Local.
Findings check_gpus(const std::vector<GpusHere>& ranks, const std::vector<std::string>& hosts, GpuUse use);

/// Whether each rank can have a GPU of its own, so that NCCL can be tried. As check_gpus().
bool have_gpus(const std::vector<GpusHere>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron
