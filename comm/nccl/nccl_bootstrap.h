#pragma once

#include <string>

#include "comm/communicator.h"

namespace negatron {

/// What the ranks of a coming NCCL group tell each other over the host group `side`. Collective, all of it.

/// Throws CommError, alike on all ranks, when two ranks share a GPU: NCCL would hang.
void refuse_shared_device(Communicator& side, int device);

/// One NCCL id, made by rank 0 and known to all ranks when this returns.
std::string shared_nccl_id(Communicator& side);

}  // namespace negatron
