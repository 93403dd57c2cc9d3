#pragma once

#include <functional>

#include "comm/communicator.h"

namespace negatron {

/// Runs `body` on `ranks` threads of this process, each with its own communicator ("threads"), and returns when all
/// are done. The first exception of any rank breaks the group (the others' collectives throw BrokenGroupError) and is
/// rethrown here with its rank; a rank that returns while others wait breaks the group too. Exceptions keep their
/// type when it is one of comm/error.h or std::invalid_argument, and become std::runtime_error otherwise.
void run_ranks(int ranks, const CommunicatorOptions& options, const std::function<void(Communicator&)>& body);

}  // namespace negatron
