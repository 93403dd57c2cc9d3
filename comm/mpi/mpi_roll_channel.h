#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/roll_call/roll_channel.h"

namespace negatron {

/// Collective over the job. The host name of every rank, [P].
std::vector<std::string> gather_hosts();

/// Collective over the job. Letters between its ranks over a communicator of their own.
std::unique_ptr<RollChannel> make_mpi_roll_channel();

}  // namespace negatron
