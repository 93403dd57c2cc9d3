#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/communicator_options.h"

namespace negatron {

/// A group of this process alone ("alone"), without MPI. Groups split from it must go before it. Local.
std::unique_ptr<Communicator> make_lone_communicator(const CommunicatorOptions& options);

}  // namespace negatron
